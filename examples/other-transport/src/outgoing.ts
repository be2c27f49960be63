/** The connection to one node: what is asked over it, and who waits for answers. Once it is broken it stays so. */
import { connect, type Socket } from "node:net";
import { encodeFrame, type Frame, FrameReader } from "./frames.ts";

interface Waiting {
  readonly resolve: (body: Uint8Array) => void;
  readonly reject: (error: Error) => void;
}

export class Outgoing {
  readonly #socket: Socket | undefined;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #broken: Error | undefined = undefined;

  /** @param port undefined: the node is not known, and nothing is connected. */
  constructor(node: number, port: number | undefined) {
    if (port === undefined) {
      this.#broken = new Error(`Node ${node} is not known`);
      return;
    }
    const reader = new FrameReader();
    this.#socket = connect(port, "127.0.0.1");
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (piece) => {
      try {
        for (const frame of reader.push(piece)) this.#receive(frame);
      } catch (cause) {
        this.#break(new Error(`Node ${node} does not speak in frames`, { cause }));
      }
    });
    this.#socket.on("error", (cause) => this.#break(new Error(`Node ${node} cannot be reached`, { cause })));
    this.#socket.on("close", () => this.#break(new Error(`The connection to node ${node} broke`)));
  }

  get isBroken(): boolean {
    return this.#broken !== undefined;
  }

  /** Frames that are written before the connection stands wait in the socket. */
  ask(shard: number, body: Uint8Array): Promise<Uint8Array> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const number = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { resolve, reject });
      this.#socket?.write(encodeFrame({ kind: "question", number, shard, body }));
    });
  }

  send(shard: number, body: Uint8Array): void {
    if (this.#broken === undefined) {
      this.#socket?.write(encodeFrame({ kind: "message", number: 0, shard, body }));
    }
  }

  close(): void {
    this.#break(new Error("The transport is closed"));
  }

  #receive({ kind, number, body }: Frame): void {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    if (kind === "answer") waiting?.resolve(body);
    else waiting?.reject(new Error(Buffer.from(body).toString()));
  }

  #break(error: Error): void {
    if (this.#broken !== undefined) return;
    this.#broken = error;
    this.#socket?.destroy();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
