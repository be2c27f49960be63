/**
 * One HTTP/2 connection to a node, without Connect: its streams carry what is small and frequent. A link that breaks is dialled anew,
 * from the handshake on. Only a server that the peers' authority signed is talked to (WIRE-1).
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { TlsIdentity } from "../server/tls.ts";
import type { PeerLimits } from "./options.ts";

export class Connection {
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
  }

  /** Ends what is open on it. */
  destroy(): void {
    this.#session.destroy(new Error("the connection is closed"), constants.NGHTTP2_CANCEL);
  }

  /** Calls the method `path` of gRPC, once the session is connected. */
  call(path: string): Promise<ClientHttp2Stream> {
    const session = this.#session;
    return new Promise((resolve, reject) => {
      const onConnect = () => {
        // It may have been destroyed, and `close` told, between being connected and saying so.
        if (session.closed || session.destroyed) return reject(new Error("the connection is closed"));
        const headers = { "content-type": "application/grpc+proto", te: "trailers" };
        const stream = session.request({ ":method": "POST", ":path": path, ...headers });
        // Who takes the stream listens as well, but a turn later.
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
