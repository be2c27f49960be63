/**
 * One HTTP/2 connection to a node, without the reconnecting that Connect's own session manager does: a link that breaks is
 * dialled anew, from the handshake on. Only a server that the peers' authority signed is talked to (WIRE-1), and nothing larger than
 * a message and a batch is read (WIRE-5).
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { PeerService } from "../gen/khonsu/peer/v1/peer_pb.ts";
import type { TlsIdentity } from "../server/tls.ts";
import type { PeerLimits } from "./options.ts";

export class Connection {
  readonly client: Client<typeof PeerService>;
  readonly #session: ClientHttp2Session;

  constructor(address: string, limits: PeerLimits, tls: TlsIdentity | undefined) {
    const authority = `${tls === undefined ? "http" : "https"}://${address}`;
    const session = connect(authority, {
      // In megabytes: a message and a batch on each stream, both ways, and as much again. Above it a stream is reset.
      maxSessionMemory: Math.ceil((8 * (limits.messageBytesMax + limits.batchBytesMax)) / 1e6),
      settings: { initialWindowSize: limits.streamWindowBytes, enablePush: false },
      ...(tls !== undefined && { cert: tls.certificate, key: tls.key, minVersion: "TLSv1.2" }),
      ...(tls?.peerAuthority !== undefined && { ca: tls.peerAuthority }),
    });
    // A session may be destroyed between being connected and saying so; most of its methods throw then.
    session.once("connect", () => {
      if (!session.destroyed) session.setLocalWindowSize(limits.connectionWindowBytes);
    });
    // Whoever has a stream on it is told as well.
    session.on("error", () => {});
    this.#session = session;
    const frameBytesMax = limits.messageBytesMax + limits.batchBytesMax + 1024;
    const transport = createGrpcTransport({
      baseUrl: authority,
      sessionManager: {
        authority: new URL(authority).origin,
        request: (method, path, headers) => this.#request(method, path, headers),
        notifyResponseByteRead: () => {},
      },
      acceptCompression: [],
      readMaxBytes: frameBytesMax,
      writeMaxBytes: frameBytesMax,
    });
    this.client = createClient(PeerService, transport);
  }

  /** Ends what is open on it: without an error Connect would wait for answers for ever. */
  destroy(): void {
    this.#session.destroy(new Error("the connection is closed"), constants.NGHTTP2_CANCEL);
  }

  /** A stream on the session, once that is connected. */
  #request(method: string, path: string, headers: OutgoingHttpHeaders): Promise<ClientHttp2Stream> {
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const onConnect = () => {
        // It may have been destroyed, and `close` told, between being connected and saying so.
        if (session.closed || session.destroyed) return reject(new Error("the connection is closed"));
        const stream = session.request({ ...headers, ":method": method, ":path": path });
        // Connect listens as well, but only to a stream that it gets.
        stream.on("error", () => {});
        resolve(stream);
      };
      session.on("error", reject);
      session.once("close", () => reject(new Error("the connection is closed")));
      if (!session.connecting) onConnect();
      else session.once("connect", onConnect);
    });
  }
}
