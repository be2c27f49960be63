/**
 * One port for everything. Without TLS a connection is told apart by its first bytes: HTTP/2 begins with a preface that no
 * HTTP/1.1 request begins with. With TLS the two sides settle it in the handshake (ALPN).
 */
import { createServer as createHttp1Server, type Server as Http1Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server } from "node:http2";
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { certifier } from "./certificate.ts";
import { answer, type NodeHandler } from "./connect-handler.ts";
import { Http2Sessions } from "./http2-sessions.ts";
import type { ServerLimits } from "./limits.ts";
import { authoritiesOf, type TlsIdentity } from "./tls.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
/** How long a probe for a peer that vanished waits, in milliseconds. */
const KEEP_ALIVE_MS = 30_000;

export class Listener {
  readonly server: TcpServer;
  readonly sessions: Http2Sessions;
  readonly #limits: ServerLimits;
  readonly #http1: Http1Server;
  readonly #http2: Http2Server;
  readonly #sockets = new Set<Socket>();
  /** Connections beyond the limit: they are told so in their own protocol. */
  readonly #excess = new Set<string>();

  constructor(handler: NodeHandler, limits: ServerLimits, tls: TlsIdentity | undefined) {
    this.#limits = limits;
    this.sessions = new Http2Sessions(limits);
    this.#http1 = this.#makeHttp1(handler);
    this.#http2 = this.#makeHttp2(handler);
    this.server = tls === undefined ? this.#makeCleartext() : this.#makeTls(tls);
    this.server.on("connection", (socket: Socket) => this.#track(socket));
    // Even those that are refused take something while they are told.
    this.server.maxConnections = 2 * limits.connectionsMax;
  }

  get connections(): number {
    let open = 0;
    for (const socket of this.#sockets) if (!socket.destroyed) open++;
    return open;
  }

  /** Takes no new connections, and no new requests on those that are open. */
  drain(): void {
    this.server.close();
    this.#http1.close();
    this.sessions.close();
  }

  /** Closes the HTTP/1.1 connections on which nothing is under way. */
  closeIdle(): void {
    this.#http1.closeIdleConnections();
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #makeHttp1(handler: NodeHandler): Http1Server {
    const { headerBytesMax, headerTimeoutMs } = this.#limits;
    const server = createHttp1Server(
      { maxHeaderSize: headerBytesMax, headersTimeout: headerTimeoutMs, connectionsCheckingInterval: 1000 },
      (request, response) => {
        if (!this.#excess.has(remoteOf(request.socket))) return handler(request, response);
        response.setHeader("connection", "close");
        answer(response, 503, "too many connections");
      },
    );
    // It never listens itself, but only then begins to look after the time that headers take.
    server.emit("listening");
    return server;
  }

  #makeHttp2(handler: NodeHandler): Http2Server {
    const { connectionMemoryBytes, headerBytesMax, streamsPerConnectionMax, streamWindowBytes } =
      this.#limits;
    const server = createHttp2Server({
      maxSessionMemory: Math.ceil(connectionMemoryBytes / 1e6),
      settings: {
        initialWindowSize: streamWindowBytes,
        maxConcurrentStreams: streamsPerConnectionMax,
        maxHeaderListSize: headerBytesMax,
      },
    });
    server.on("session", (session) => {
      if (this.#excess.has(remoteOf(session.socket))) this.sessions.refuse(session);
      else this.sessions.add(session);
    });
    server.on("request", handler);
    server.on("sessionError", () => {});
    return server;
  }

  #makeCleartext(): TcpServer {
    // A client without delay in its frames is answered without delay.
    const options = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
    return createTcpServer(options, (socket) => this.#sniff(socket));
  }

  #makeTls(identity: TlsIdentity): TcpServer {
    const { certificate, key } = identity;
    const authorities = authoritiesOf(identity);
    const certify = certifier(identity);
    const server = createTlsServer({
      cert: certificate,
      key,
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: this.#limits.headerTimeoutMs,
      minVersion: "TLSv1.2",
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_MS,
      // Not everybody has a certificate; routes look whether one was presented that holds, and whose it is.
      ...(authorities.length > 0 && { ca: authorities, requestCert: true, rejectUnauthorized: false }),
    });
    server.on("secureConnection", (socket: TLSSocket) => {
      certify(socket);
      this.#serve(socket, socket.alpnProtocol === "h2");
    });
    server.on("tlsClientError", (_error, socket) => socket.destroy());
    return server;
  }

  #track(socket: Socket): void {
    // With TLS another object stands for the connection later: the address is what they share.
    const remote = remoteOf(socket);
    this.#sockets.add(socket);
    if (this.#sockets.size > this.#limits.connectionsMax) this.#excess.add(remote);
    socket.once("close", () => {
      this.#sockets.delete(socket);
      this.#excess.delete(remote);
    });
    socket.on("error", () => socket.destroy());
  }

  /** Reads until the first bytes tell, and hands them on with the rest. */
  #sniff(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), this.#limits.headerTimeoutMs);
    socket.once("close", () => clearTimeout(timer));
    let seen = Buffer.alloc(0);
    const onReadable = () => {
      const chunk: Buffer | null = socket.read();
      if (chunk === null) return;
      seen = Buffer.concat([seen, chunk]);
      const length = Math.min(seen.length, PREFACE.length);
      const isPrefix = seen.subarray(0, length).equals(PREFACE.subarray(0, length));
      if (isPrefix && length < PREFACE.length) return;
      socket.off("readable", onReadable);
      clearTimeout(timer);
      socket.unshift(seen);
      this.#serve(socket, isPrefix);
    };
    socket.on("readable", onReadable);
  }

  #serve(socket: Socket, isHttp2: boolean): void {
    (isHttp2 ? this.#http2 : this.#http1).emit("connection", socket);
  }
}

function remoteOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress}:${remotePort}`;
}
