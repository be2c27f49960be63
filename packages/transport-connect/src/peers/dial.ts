/** The side of a link that dials: connects, says who it is, looks at who answers, and opens the second stream. */
import { randomBytes } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import { TransportError } from "../errors.ts";
import { BulkRequestSchema, HelloSchema, LinkRequestSchema } from "../gen/khonsu/peer/v1/peer_pb.ts";
import type { TlsIdentity } from "../server/tls.ts";
import { Connection } from "./connection.ts";
import type { FrameQueue } from "./frame-queue.ts";
import { type Agreed, checkWelcome, LINK_ID_BYTES, PROTOCOL_MAX, PROTOCOL_MIN } from "./handshake.ts";
import type { Link } from "./link.ts";
import type { PeerIdentity, PeerLimits } from "./options.ts";
import { fromConnectError } from "./refusal.ts";

export interface DialOptions {
  readonly address: string;
  readonly node: number;
  readonly self: PeerIdentity;
  readonly limits: PeerLimits;
  readonly tls: TlsIdentity | undefined;
  /** Ends the attempt, with its reason. */
  readonly signal: AbortSignal;
  /** The handshake is done. */
  readonly establish: (remote: Agreed, id: string) => Link;
}

/**
 * Dials, and stays until the link has ended.
 *
 * @throws TransportError if there was no link in the end
 */
export async function dial(options: DialOptions): Promise<void> {
  const { address, limits, node, self, signal, tls } = options;
  let connection: Connection | undefined;
  let link: Link | undefined;
  const destroy = () => connection?.destroy();
  signal.addEventListener("abort", destroy, { once: true });
  const what = `Cannot reach node ${node} at ${address}`;
  const toError = (reason: unknown) => fromConnectError(what, signal.aborted ? signal.reason : reason);
  try {
    // Throws for an address that is none.
    connection = new Connection(address, limits, tls);
    const id = randomBytes(LINK_ID_BYTES);
    const established = Promise.withResolvers<Link>();
    const responses = connection.client
      .link(requests(id, options, established.promise))
      [Symbol.asyncIterator]();
    const first = await responses.next();
    const welcome = first.done ? undefined : first.value.welcome;
    if (welcome === undefined)
      throw new TransportError("KHONSU_FRAME_MALFORMED", `Node ${node} did not welcome`);
    link = options.establish(checkWelcome(welcome, node, self), id.toString("hex"));
    link.ended.signal.addEventListener("abort", destroy, { once: true });
    established.resolve(link);
    const bulk = connection.client.bulk(bulkRequests(id, link.outbox.bulk))[Symbol.asyncIterator]();
    await Promise.all([link.receive(responses, toError), link.receive(bulk, toError)]);
  } catch (reason) {
    const error = toError(reason);
    link?.end(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", destroy);
    destroy();
  }
}

/** Who calls, then frames once we are welcome. */
async function* requests(
  id: Uint8Array,
  { node, self }: DialOptions,
  established: Promise<Link>,
): AsyncGenerator<MessageInitShape<typeof LinkRequestSchema>> {
  const hello = create(HelloSchema, {
    protocolMin: PROTOCOL_MIN,
    protocolMax: PROTOCOL_MAX,
    clusterId: self.clusterId,
    node: self.node,
    incarnation: BigInt(self.incarnation),
    to: node,
    link: id,
  });
  yield create(LinkRequestSchema, { hello });
  const { outbox } = await established;
  for await (const batch of outbox.main.batches()) yield create(LinkRequestSchema, batch);
}

async function* bulkRequests(
  id: Uint8Array,
  queue: FrameQueue,
): AsyncGenerator<MessageInitShape<typeof BulkRequestSchema>> {
  yield create(BulkRequestSchema, { link: id });
  for await (const batch of queue.batches()) yield create(BulkRequestSchema, batch);
}
