/**
 * The side of a link that is called: `PeerService` of `proto/khonsu/peer/v1`, as gRPC and without Connect. Whoever shows no certificate,
 * where one is called for, gets no further than the headers (WIRE-1); nothing larger than a message and a batch is read (WIRE-5).
 */
import { create, type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { Runtime } from "@khonsu/core";
import { messageOf, TransportError } from "../errors.ts";
import {
  BulkRequestSchema,
  type Hello,
  LinkRequestSchema,
  LinkResponseSchema,
  WelcomeSchema,
} from "../gen/khonsu/peer/v1/peer_pb.ts";
import type { StreamCall, StreamRoutes } from "../server/stream-routes.ts";
import type { Link } from "./link.ts";
import { prefixed } from "./message-reader.ts";
import { frameBytesMax, type PeerIdentity, type PeerLimits } from "./options.ts";
import { BULK_PATH, LINK_PATH, NOBODY, type PeerStream } from "./peer-stream.ts";
import { ServerStream } from "./server-stream.ts";

export interface PeerServiceOptions {
  readonly limits: PeerLimits;
  readonly runtime: Runtime;
  /** Whether the caller must show a certificate of the peers' authority. */
  readonly needsCertificate: boolean;
  identity(): PeerIdentity;
  /** @throws TransportError if the caller is not to be linked with */
  accept(hello: Hello): Link;
  linkOf(id: string): Link | undefined;
  onRefused(remote: string, error: TransportError): void;
}

export function servePeers(streams: StreamRoutes, options: PeerServiceOptions): void {
  streams.handle(LINK_PATH, (call) => begin(call, options, onHello));
  streams.handle(BULK_PATH, (call) => begin(call, options, onBulk));
}

type OnFirst = (message: Uint8Array, stream: PeerStream, options: PeerServiceOptions) => void;

/** Waits for the first message, which is to come in time and to please `onFirst`. */
function begin(call: StreamCall, options: PeerServiceOptions, onFirst: OnFirst): void {
  const { limits, needsCertificate, runtime } = options;
  const { isPeer, remote } = call.connection;
  const stream = new ServerStream(call, frameBytesMax(limits));
  let cancel = (): void => {};
  const refuse = (error: TransportError): void => {
    cancel();
    stream.handlers = NOBODY;
    options.onRefused(remote, error);
    stream.end(error);
  };
  if (needsCertificate && !isPeer) {
    const message = "Peers must show a certificate of the peers' authority";
    refuse(new TransportError("KHONSU_PEER_UNAUTHENTICATED", message));
    return;
  }
  const late = `Nothing was said within ${limits.dialTimeoutMs} ms`;
  cancel = runtime.schedule(limits.dialTimeoutMs, () =>
    refuse(new TransportError("KHONSU_PEER_TIMEOUT", late)),
  );
  stream.handlers = {
    onMessage: (message) => {
      cancel();
      try {
        onFirst(message, stream, options);
      } catch (reason) {
        refuse(refusalOf(reason));
      }
    },
    onDrain: () => {},
    onEnd: (error) => refuse(error ?? silent()),
  };
}

function onHello(message: Uint8Array, stream: PeerStream, options: PeerServiceOptions): void {
  const { hello } = decoded(LinkRequestSchema, message);
  if (hello === undefined) throw silent();
  const link = options.accept(hello);
  const { clusterId, incarnation, node } = options.identity();
  const { protocol } = link.remote;
  const welcome = create(WelcomeSchema, { protocol, clusterId, node, incarnation: BigInt(incarnation) });
  stream.write(prefixed(toBinary(LinkResponseSchema, create(LinkResponseSchema, { welcome }))));
  link.carry(stream, link.outbox.main);
}

function onBulk(message: Uint8Array, stream: PeerStream, options: PeerServiceOptions): void {
  const id = Buffer.from(decoded(BulkRequestSchema, message).link).toString("hex");
  const link = options.linkOf(id);
  if (link === undefined) throw new TransportError("KHONSU_PEER_MISMATCH", "There is no such link");
  stream.write(prefixed(new Uint8Array()));
  link.carry(stream, link.outbox.bulk);
}

function decoded<D extends DescMessage>(schema: D, message: Uint8Array): MessageShape<D> {
  try {
    return fromBinary(schema, message);
  } catch (cause) {
    throw new TransportError("KHONSU_FRAME_MALFORMED", `The stream cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function silent(): TransportError {
  return new TransportError("KHONSU_FRAME_MALFORMED", "A link begins with hello");
}

function refusalOf(reason: unknown): TransportError {
  if (reason instanceof TransportError) return reason;
  return new TransportError("KHONSU_PEER_UNREACHABLE", `The stream broke: ${messageOf(reason)}`, {
    cause: reason,
  });
}
