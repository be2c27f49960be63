/** The side of a link that is dialled, as a service of Connect. Whoever shows no certificate, where one is called for, gets no
 * further than the headers (WIRE-1); nothing larger than a message and a batch is read (WIRE-5). */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type { Runtime } from "@khonsu/core";
import { messageOf, TransportError } from "../errors.ts";
import {
  type BulkRequest,
  BulkResponseSchema,
  type Hello,
  type LinkRequest,
  LinkResponseSchema,
  PeerService,
  WelcomeSchema,
} from "../gen/khonsu/peer/v1/peer_pb.ts";
import { connectionKey } from "../server/connection-info.ts";
import type { FrameQueue } from "./frame-queue.ts";
import type { Batch } from "./frames.ts";
import type { Link } from "./link.ts";
import type { PeerIdentity, PeerLimits } from "./options.ts";
import { toConnectError } from "./refusal.ts";

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

export function peerRoutes(options: PeerServiceOptions): (router: ConnectRouter) => void {
  const { limits } = options;
  const frameBytesMax = limits.messageBytesMax + limits.batchBytesMax + 1024;
  return (router) => {
    router.service(
      PeerService,
      {
        link: (requests, context) => link(requests, context, options),
        bulk: (requests, context) => bulk(requests, context, options),
      },
      {
        acceptCompression: [],
        readMaxBytes: frameBytesMax,
        writeMaxBytes: frameBytesMax,
        requestGate: (context) => authenticate(context, options),
      },
    );
  };
}

function authenticate(context: HandlerContext, options: PeerServiceOptions): void {
  if (!options.needsCertificate || context.values.get(connectionKey).isPeer) return;
  throw refuse(
    context,
    options,
    new TransportError(
      "KHONSU_PEER_UNAUTHENTICATED",
      "Peers must show a certificate of the peers' authority",
    ),
  );
}

async function* link(
  requests: AsyncIterable<LinkRequest>,
  context: HandlerContext,
  options: PeerServiceOptions,
): AsyncGenerator<MessageInitShape<typeof LinkResponseSchema>> {
  const iterator = requests[Symbol.asyncIterator]();
  const accepted = await welcome(iterator, context, options);
  const { clusterId, incarnation, node } = options.identity();
  const protocol = accepted.remote.protocol;
  yield create(LinkResponseSchema, {
    welcome: create(WelcomeSchema, { protocol, clusterId, node, incarnation: BigInt(incarnation) }),
  });
  yield* carry(accepted, iterator, accepted.outbox.main, context, (batch) =>
    create(LinkResponseSchema, batch),
  );
}

async function welcome(
  requests: AsyncIterator<LinkRequest>,
  context: HandlerContext,
  options: PeerServiceOptions,
): Promise<Link> {
  try {
    const { done, value } = await within(requests.next(), options);
    if (done || value.hello === undefined) {
      throw new TransportError("KHONSU_FRAME_MALFORMED", "A link begins with hello");
    }
    return options.accept(value.hello);
  } catch (reason) {
    throw refuse(context, options, streamError(reason));
  }
}

async function* bulk(
  requests: AsyncIterable<BulkRequest>,
  context: HandlerContext,
  options: PeerServiceOptions,
): AsyncGenerator<MessageInitShape<typeof BulkResponseSchema>> {
  const iterator = requests[Symbol.asyncIterator]();
  const { done, value } = await within(iterator.next(), options);
  const id = done ? "" : Buffer.from(value.link).toString("hex");
  const accepted = options.linkOf(id);
  if (accepted === undefined) {
    throw refuse(context, options, new TransportError("KHONSU_PEER_MISMATCH", "There is no such link"));
  }
  yield create(BulkResponseSchema);
  yield* carry(accepted, iterator, accepted.outbox.bulk, context, (batch) =>
    create(BulkResponseSchema, batch),
  );
}

/** Both directions of a stream, until the stream or the link ends. */
async function* carry<T>(
  accepted: Link,
  requests: AsyncIterator<Batch>,
  queue: FrameQueue,
  context: HandlerContext,
  toResponse: (batch: Batch) => T,
): AsyncGenerator<T> {
  const onAbort = () => accepted.end(streamError(context.signal.reason));
  context.signal.addEventListener("abort", onAbort, { once: true });
  void accepted.receive(requests, streamError);
  try {
    for await (const batch of queue.batches()) yield toResponse(batch);
  } finally {
    context.signal.removeEventListener("abort", onAbort);
    accepted.end(
      new TransportError("KHONSU_PEER_UNREACHABLE", `The stream to node ${accepted.remote.node} ended`),
    );
  }
}

/** Rejects when the caller takes too long to say who it is. */
function within<T>(first: Promise<T>, { limits, runtime }: PeerServiceOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = `Nothing was said within ${limits.dialTimeoutMs} ms`;
    const cancel = runtime.schedule(limits.dialTimeoutMs, () =>
      reject(new TransportError("KHONSU_PEER_TIMEOUT", late)),
    );
    first.then(resolve, reject).finally(cancel);
  });
}

function refuse(context: HandlerContext, options: PeerServiceOptions, error: TransportError): ConnectError {
  options.onRefused(context.values.get(connectionKey).remote, error);
  return toConnectError(error);
}

/** What broke a stream that came in: bytes that are none of the protocol, too many of them, or the connection. */
function streamError(reason: unknown): TransportError {
  if (reason instanceof TransportError) return reason;
  const { code, rawMessage } = ConnectError.from(reason);
  if (code === Code.ResourceExhausted)
    return new TransportError("KHONSU_FRAME_TOO_LARGE", rawMessage, { cause: reason });
  if (code === Code.InvalidArgument || code === Code.Internal || code === Code.Unimplemented) {
    return new TransportError("KHONSU_FRAME_MALFORMED", `The stream cannot be read: ${rawMessage}`, {
      cause: reason,
    });
  }
  return new TransportError("KHONSU_PEER_UNREACHABLE", `The stream broke: ${messageOf(reason)}`, {
    cause: reason,
  });
}
