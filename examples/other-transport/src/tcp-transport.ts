/**
 * `Transport` over plain TCP: one connection in each direction, made when it is needed and again when it broke. A question carries
 * a number, by which its answer finds it; when a connection breaks, all who wait for answers over it are told.
 *
 * It also carries messages that nobody answers, for the consensus beneath: those may get lost.
 *
 * Not for the open: whoever can connect is believed. `@khonsu/transport-connect` has handshakes, TLS, limits and back pressure.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import {
  decodeShardAnswer,
  decodeShardRequest,
  encodeShardAnswer,
  encodeShardRequest,
  type ShardAnswer,
  type ShardRequest,
  type Transport,
} from "@khonsu/cluster";
import { encodeFrame, type Frame, FrameReader } from "./frames.ts";
import { Outgoing } from "./outgoing.ts";

export interface TcpTransportOptions {
  readonly serve: (shard: number, request: ShardRequest) => Promise<ShardAnswer>;
  readonly onMessage?: (shard: number, message: Uint8Array) => void;
  /** Where a node listens on this machine; undefined if that is not known. */
  readonly portOf: (node: number) => number | undefined;
  /** Default: 0, one that is free. */
  readonly port?: number;
}

export class TcpTransport implements Transport {
  readonly #options: TcpTransportOptions;
  readonly #server: Server;
  readonly #incoming = new Set<Socket>();
  readonly #outgoing = new Map<number, Outgoing>();

  private constructor(options: TcpTransportOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Listens, so that others can ask this node. */
  static async listen(options: TcpTransportOptions): Promise<TcpTransport> {
    const transport = new TcpTransport(options);
    const server = transport.#server.listen(options.port ?? 0, "127.0.0.1");
    await once(server, "listening");
    return transport;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async ask(node: number, shard: number, request: ShardRequest): Promise<ShardAnswer> {
    return decodeShardAnswer(await this.#to(node).ask(shard, encodeShardRequest(request)));
  }

  /** Lost where the node cannot be reached. */
  send(node: number, shard: number, message: Uint8Array): void {
    this.#to(node).send(shard, message);
  }

  /** As if the process were gone: all connections break. */
  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#incoming) socket.destroy();
    for (const outgoing of this.#outgoing.values()) outgoing.close();
    await closed;
  }

  #to(node: number): Outgoing {
    let outgoing = this.#outgoing.get(node);
    if (outgoing === undefined || outgoing.isBroken) {
      outgoing = new Outgoing(node, this.#options.portOf(node));
      this.#outgoing.set(node, outgoing);
    }
    return outgoing;
  }

  #accept(socket: Socket): void {
    const reader = new FrameReader();
    this.#incoming.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => this.#incoming.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.on("data", (piece) => {
      try {
        for (const frame of reader.push(piece)) this.#receive(socket, frame);
      } catch {
        // No frames: whoever is there speaks something else.
        socket.destroy();
      }
    });
  }

  #receive(socket: Socket, { kind, number, shard, body }: Frame): void {
    if (kind === "message") this.#options.onMessage?.(shard, body);
    else if (kind === "question") {
      const answer = (frame: Pick<Frame, "kind" | "body">) => {
        if (!socket.destroyed) socket.write(encodeFrame({ ...frame, number, shard }));
      };
      this.#serve(shard, body).then(
        (bytes) => answer({ kind: "answer", body: bytes }),
        (error) => answer({ kind: "failure", body: Buffer.from(String(error)) }),
      );
    }
  }

  async #serve(shard: number, body: Uint8Array): Promise<Uint8Array> {
    return encodeShardAnswer(await this.#options.serve(shard, decodeShardRequest(body)));
  }
}
