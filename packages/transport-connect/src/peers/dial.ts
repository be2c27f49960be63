/** The side of a link that dials: connects, says who it is, looks at who answers, and opens the second stream. */
import { randomBytes } from "node:crypto";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  BulkRequestSchema,
  HelloSchema,
  LinkRequestSchema,
  LinkResponseSchema,
} from "../gen/khonsu/peer/v1/peer_pb.ts";
import type { TlsIdentity } from "../server/tls.ts";
import { malformed } from "../wire/malformed.ts";
import { ClientStream } from "./client-stream.ts";
import { Connection } from "./connection.ts";
import { type Agreed, checkWelcome, LINK_ID_BYTES, PEER_PROTOCOL } from "./handshake.ts";
import type { Link } from "./link.ts";
import { prefixed } from "./message-reader.ts";
import { frameBytesMax, type PeerIdentity, type PeerLimits } from "./options.ts";
import { BULK_PATH, LINK_PATH, type PeerStream } from "./peer-stream.ts";
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
  const { address, limits, node, signal, tls } = options;
  let connection: Connection | undefined;
  let link: Link | undefined;
  const destroy = () => connection?.destroy();
  signal.addEventListener("abort", destroy, { once: true });
  const what = `Cannot reach node ${node} at ${address}`;
  const toError = (reason: unknown) => fromConnectError(what, signal.aborted ? signal.reason : reason);
  const open = async (path: string) =>
    new ClientStream(await connection!.call(path), frameBytesMax(limits), toError);
  try {
    // Throws for an address that is none.
    connection = new Connection(address, limits, tls);
    const id = randomBytes(LINK_ID_BYTES);
    link = await greet(await open(LINK_PATH), id, options);
    const ended = new Promise((resolve) => link?.ended.signal.addEventListener("abort", resolve));
    const bulk = await open(BULK_PATH);
    bulk.write(prefixed(toBinary(BulkRequestSchema, create(BulkRequestSchema, { link: id }))));
    link.carry(bulk, link.outbox.bulk);
    if (!link.isEnded) await ended;
  } catch (reason) {
    const error = toError(reason);
    link?.end(error);
    throw error;
  } finally {
    signal.removeEventListener("abort", destroy);
    destroy();
  }
}

/** Says who calls; resolves with the link, which carries frames already, once we are welcome. */
function greet(stream: PeerStream, id: Uint8Array, { establish, node, self }: DialOptions): Promise<Link> {
  return new Promise((resolve, reject) => {
    const unwelcome = malformed(`node ${node} did not welcome`);
    stream.handlers = {
      onMessage: (message) => {
        const { welcome } = fromBinary(LinkResponseSchema, message);
        if (welcome === undefined) throw unwelcome;
        const link = establish(checkWelcome(welcome, node, self), Buffer.from(id).toString("hex"));
        link.carry(stream, link.outbox.main);
        resolve(link);
      },
      onDrain: () => {},
      onEnd: (error) => reject(error ?? unwelcome),
    };
    stream.write(prefixed(toBinary(LinkRequestSchema, helloOf(id, node, self))));
  });
}

function helloOf(link: Uint8Array, to: number, self: PeerIdentity) {
  const { clusterId, incarnation, node, speaks = PEER_PROTOCOL } = self;
  const hello = create(HelloSchema, {
    protocolMin: speaks.min,
    protocolMax: speaks.max,
    clusterId,
    node,
    incarnation: BigInt(incarnation),
    to,
    link,
  });
  return create(LinkRequestSchema, { hello });
}
