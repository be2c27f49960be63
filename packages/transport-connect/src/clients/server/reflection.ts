/** The standard reflection service of gRPC, in both versions that clients ask for: which services there are, and their protos. */
import {
  create,
  createRegistry,
  type DescFile,
  type DescService,
  type Registry,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";
import * as v1 from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import * as v1alpha from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";

interface Known {
  readonly registry: Registry;
  /** By name, as imports have it. */
  readonly files: ReadonlyMap<string, DescFile>;
}

type Answer = v1.ServerReflectionResponse["messageResponse"];

export function registerReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const all = [...services, v1.ServerReflection, v1alpha.ServerReflection];
  const files = withImports(all.map(({ file }) => file));
  const known: Known = {
    registry: createRegistry(...files),
    files: new Map(files.map((file) => [`${file.name}.proto`, file])),
  };
  const names = all.map(({ typeName }) => typeName).sort();
  const answer = (asked: v1.ServerReflectionRequest["messageRequest"]) => answerOf(asked, known, names);
  async function* serve(requests: AsyncIterable<v1.ServerReflectionRequest>) {
    for await (const request of requests) {
      const { host: validHost, messageRequest } = request;
      const fields = { validHost, originalRequest: request, messageResponse: answer(messageRequest) };
      yield create(v1.ServerReflectionResponseSchema, fields);
    }
  }
  async function* serveAlpha(requests: AsyncIterable<v1alpha.ServerReflectionRequest>) {
    for await (const request of requests) {
      const { host: validHost, messageRequest } = request;
      const fields = { validHost, originalRequest: request };
      const messageResponse = toAlpha(answer(messageRequest as v1.ServerReflectionRequest["messageRequest"]));
      yield create(v1alpha.ServerReflectionResponseSchema, { ...fields, messageResponse });
    }
  }
  router.service(v1.ServerReflection, { serverReflectionInfo: serve });
  router.service(v1alpha.ServerReflection, { serverReflectionInfo: serveAlpha });
}

function answerOf(
  asked: v1.ServerReflectionRequest["messageRequest"],
  { registry, files }: Known,
  names: readonly string[],
): Answer {
  switch (asked.case) {
    case "listServices": {
      const service = names.map((name) => create(v1.ServiceResponseSchema, { name }));
      return { case: "listServicesResponse", value: create(v1.ListServiceResponseSchema, { service }) };
    }
    case "fileByFilename":
      return filesOf(files.get(asked.value));
    case "fileContainingSymbol":
      return filesOf(fileOf(registry, asked.value));
    case "fileContainingExtension":
    case "allExtensionNumbersOfType":
      return failure(Code.NotFound, "there are no extensions");
    case undefined:
      return failure(Code.InvalidArgument, "the request is empty");
  }
}

/** The file of a type, or of a method or field of one. */
function fileOf(registry: Registry, symbol: string): DescFile | undefined {
  const name = symbol.replace(/^\./, "");
  return (registry.get(name) ?? registry.get(name.slice(0, Math.max(0, name.lastIndexOf(".")))))?.file;
}

function filesOf(file: DescFile | undefined): Answer {
  if (file === undefined) return failure(Code.NotFound, "it is not known here");
  const fileDescriptorProto = withImports([file]).map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto),
  );
  const value = create(v1.FileDescriptorResponseSchema, { fileDescriptorProto });
  return { case: "fileDescriptorResponse", value };
}

function failure(errorCode: Code, errorMessage: string): Answer {
  return { case: "errorResponse", value: create(v1.ErrorResponseSchema, { errorCode, errorMessage }) };
}

/** The files and all that they import, each once. */
function withImports(files: readonly DescFile[]): DescFile[] {
  const found = new Set<DescFile>();
  const add = (file: DescFile) => {
    if (found.has(file)) return;
    found.add(file);
    for (const each of file.dependencies) add(each);
  };
  for (const file of files) add(file);
  return [...found];
}

/** The two versions differ in the names of their types alone. */
function toAlpha(answer: Answer): v1alpha.ServerReflectionResponse["messageResponse"] {
  switch (answer.case) {
    case "listServicesResponse":
      return {
        case: answer.case,
        value: create(v1alpha.ListServiceResponseSchema, {
          service: answer.value.service.map(({ name }) => ({ name })),
        }),
      };
    case "fileDescriptorResponse": {
      const { fileDescriptorProto } = answer.value;
      return {
        case: answer.case,
        value: create(v1alpha.FileDescriptorResponseSchema, { fileDescriptorProto }),
      };
    }
    case "errorResponse": {
      const { errorCode, errorMessage } = answer.value;
      return { case: answer.case, value: create(v1alpha.ErrorResponseSchema, { errorCode, errorMessage }) };
    }
    default:
      return { case: undefined };
  }
}
