/** Errors as statuses of Connect and gRPC, each with its `Failure` as detail; and as a whole answer, before a request is read. */
import { Code, ConnectError } from "@connectrpc/connect";
import { encodeEnvelope, type UniversalServerResponse } from "@connectrpc/connect/protocol";
import {
  codeToHttpStatus,
  endStreamFlag,
  endStreamToJson,
  errorToJsonBytes,
} from "@connectrpc/connect/protocol-connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { FailureSchema } from "../../gen/khonsu/client/v1/failure_pb.ts";
import { toFailure } from "../failure.ts";

const STATUS: Readonly<Record<string, Code>> = {
  KHONSU_WRITE_CONFLICT: Code.Aborted,
  KHONSU_SERIALIZATION_FAILURE: Code.Aborted,
  KHONSU_RETRIES_EXHAUSTED: Code.Aborted,
  KHONSU_SNAPSHOT_TOO_OLD: Code.Aborted,
  KHONSU_VERSION_MISMATCH: Code.FailedPrecondition,
  KHONSU_UNAVAILABLE: Code.Unavailable,
  KHONSU_CLOCK_SKEW: Code.Unavailable,
  KHONSU_CLIENT_TOO_SLOW: Code.Unavailable,
  KHONSU_TRANSPORT_CLOSED: Code.Unavailable,
  KHONSU_PEER_UNREACHABLE: Code.Unavailable,
  KHONSU_PEER_TIMEOUT: Code.Unavailable,
  KHONSU_STORE_CLOSED: Code.Unavailable,
  KHONSU_OVERLOADED: Code.ResourceExhausted,
  KHONSU_TIMESTAMP_LIMIT: Code.ResourceExhausted,
  KHONSU_FRAME_TOO_LARGE: Code.ResourceExhausted,
  KHONSU_UNAUTHENTICATED: Code.Unauthenticated,
  KHONSU_IN_DOUBT: Code.Unknown,
  KHONSU_OUTCOME_EXPIRED: Code.Unknown,
  KHONSU_WATCH_TOO_OLD: Code.OutOfRange,
  KHONSU_ABORTED: Code.Canceled,
  KHONSU_PROTOCOL_VERSION: Code.FailedPrecondition,
  KHONSU_INVARIANT_VIOLATED: Code.Internal,
  KHONSU_INTERNAL: Code.Internal,
  KHONSU_STORAGE_FAILED: Code.Internal,
  // The rows that a key holds are none.
  KHONSU_STORAGE_CORRUPT: Code.DataLoss,
};

/** The status of an error. What is not listed is about what the caller has given. */
export function toConnectError(error: unknown, onInternal: (error: unknown) => void): ConnectError {
  if (error instanceof ConnectError) return error;
  // A client that has gone away, such as a page that was left: nobody reads this, and nothing is wrong.
  if (error instanceof Error && error.name === "AbortError")
    return new ConnectError("The call was aborted", Code.Canceled);
  const failure = toFailure(error, onInternal);
  const status = STATUS[failure.code] ?? Code.InvalidArgument;
  return new ConnectError(failure.message, status, undefined, [{ desc: FailureSchema, value: failure }]);
}

/** The whole answer to a request that is refused before anything of its body was read, in the protocol that it speaks. */
export function refusal(error: ConnectError, contentType: string | null): UniversalServerResponse {
  const type = contentType ?? "application/json";
  if (type.startsWith("application/grpc")) {
    return { status: 200, header: setTrailerStatus(new Headers({ "content-type": type }), error) };
  }
  if (type.startsWith("application/connect+")) {
    const json = JSON.stringify(endStreamToJson(new Headers(), error, undefined));
    const body = once(encodeEnvelope(endStreamFlag, new TextEncoder().encode(json)));
    return { status: 200, header: new Headers({ "content-type": type }), body };
  }
  const header = new Headers({ "content-type": "application/json" });
  return { status: codeToHttpStatus(error.code), header, body: once(errorToJsonBytes(error, undefined)) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
