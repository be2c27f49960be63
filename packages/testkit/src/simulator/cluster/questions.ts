// Questions and answers over the simulated network, as bytes: either may be lost, repeated, or come late; an answer that nobody waits for
// any more comes to nothing.

import type { NodeName } from "../network.ts";
import type { NodeProcess } from "./node-machine.ts";

/** A question to a shard, or to the directory part of a node. */
export type Question =
  | { readonly channel: "shard"; readonly shard: number }
  | { readonly channel: "directory" };

export type QuestionPacket =
  | { readonly kind: "question"; readonly id: number; readonly to: Question; readonly bytes: Uint8Array }
  | { readonly kind: "answer"; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: "failed"; readonly id: number; readonly error: unknown };

interface Waiting {
  readonly process: NodeProcess;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

export class Questions {
  readonly #send: (from: NodeName, to: NodeName, packet: QuestionPacket) => void;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(send: (from: NodeName, to: NodeName, packet: QuestionPacket) => void) {
    this.#send = send;
  }

  ask(
    from: number,
    process: NodeProcess,
    node: number,
    to: Question,
    bytes: Uint8Array,
  ): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (process.isOver) return;
      this.#last += 1;
      this.#waiting.set(this.#last, { process, resolve, reject });
      this.#send(from, node, { kind: "question", id: this.#last, to, bytes });
    });
  }

  /** Answers a question at `node`, in `process`. */
  serve(
    node: number,
    process: NodeProcess,
    from: NodeName,
    id: number,
    answer: () => Promise<Uint8Array>,
  ): void {
    process.run(() => {
      const back = (packet: QuestionPacket) => {
        if (!process.isOver) this.#send(node, from, packet);
      };
      answer().then(
        (bytes) => back({ kind: "answer", id, bytes }),
        (error: unknown) => back({ kind: "failed", id, error }),
      );
    });
  }

  receive(packet: Exclude<QuestionPacket, { kind: "question" }>): void {
    const waiting = this.#waiting.get(packet.id);
    if (waiting === undefined) return;
    waiting.process.run(() => {
      if (!this.#waiting.delete(packet.id)) return;
      if (packet.kind === "answer") waiting.resolve(packet.bytes);
      else waiting.reject(packet.error);
    });
  }
}
