/**
 * CL-4, CL-5: the questions of a client over one link: numbered, bounded in number as the node wants it, and each answered once, in whatever
 * order. Those beyond the bound wait here, in order; those that wait for a change are counted apart.
 */
import { create } from "@bufbuild/protobuf";
import { messageOf, TransportError } from "../errors.ts";
import {
  type DescribeResponse,
  type Question,
  QuestionSchema,
  type Reply,
} from "../gen/khonsu/client/v1/client_pb.ts";
import { fromFailure } from "./failure.ts";
import type { Asked } from "./link.ts";

interface Pending {
  readonly question: Question;
  readonly bytes: number;
  readonly isWait: boolean;
  readonly onSent: () => void;
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
  readonly parts: Uint8Array[];
}

/** Bytes around a question in its frame, at most. */
const OVERHEAD_BYTES = 64;

export class Questions {
  readonly #limits: DescribeResponse;
  readonly #send: (question: Question, bytes: number, isWait: boolean) => void;
  readonly #underWay = new Map<number, Pending>();
  readonly #waiting = { questions: [] as Pending[], waits: [] as Pending[] };
  readonly #counts = { questions: 0, waits: 0 };
  #number = 0;
  #onIdle = () => {};
  #ended: TransportError | undefined;

  /** @param send puts a question on its way */
  constructor(limits: DescribeResponse, send: (question: Question, bytes: number, isWait: boolean) => void) {
    this.#limits = limits;
    this.#send = send;
  }

  /** Questions that are on their way, and those of them that wait for a change. */
  get underWay(): number {
    return this.#underWay.size;
  }

  ask(asked: Asked, bytes: number, isWait: boolean, onSent: () => void): Promise<Uint8Array> {
    const { questionBytesMax } = this.#limits;
    if (bytes + OVERHEAD_BYTES > questionBytesMax) {
      const message = `Cannot ask: the question has ${bytes} bytes, the node takes up to ${questionBytesMax - OVERHEAD_BYTES}`;
      return Promise.reject(new TransportError("KHONSU_FRAME_TOO_LARGE", message));
    }
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      const question = create(QuestionSchema, { number: this.#nextNumber(), question: asked });
      const pending = { question, bytes, isWait, onSent, resolve, reject, parts: [] };
      if (this.#hasRoom(isWait)) this.#dispatch(pending);
      else this.#waiting[isWait ? "waits" : "questions"].push(pending);
    });
  }

  onReply({ number, reply }: Reply): void {
    const pending = this.#underWay.get(number);
    // What nobody waits for any more.
    if (pending === undefined) return;
    if (reply.case === "part") {
      pending.parts.push(reply.value);
      return;
    }
    this.#underWay.delete(number);
    this.#counts[pending.isWait ? "waits" : "questions"]--;
    switch (reply.case) {
      case "answer":
        pending.resolve(pending.parts.length === 0 ? reply.value : joined([...pending.parts, reply.value]));
        break;
      case "failure":
        pending.reject(fromFailure(reply.value));
        break;
      case undefined:
        pending.reject(new TransportError("KHONSU_FRAME_MALFORMED", "Cannot read the reply: it is empty"));
    }
    this.#next(pending.isWait);
    if (this.#underWay.size === 0) this.#onIdle();
  }

  /** Forgets what has come of the answer to a question that is asked again. */
  restart(number: number): void {
    const pending = this.#underWay.get(number);
    if (pending !== undefined) pending.parts.length = 0;
  }

  /** Calls `run` once nothing is under way. */
  whenIdle(run: () => void): void {
    this.#onIdle = run;
    if (this.#underWay.size === 0) run();
  }

  /** Rejects all that is under way and all that waits. */
  end(error: TransportError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    const { questions, waits } = this.#waiting;
    for (const { reject } of [...this.#underWay.values(), ...questions, ...waits]) reject(error);
    this.#underWay.clear();
    questions.length = 0;
    waits.length = 0;
  }

  #hasRoom(isWait: boolean): boolean {
    const { questionsMax, waitsMax } = this.#limits;
    return isWait ? this.#counts.waits < waitsMax : this.#counts.questions < questionsMax;
  }

  #next(isWait: boolean): void {
    const next = this.#waiting[isWait ? "waits" : "questions"].shift();
    if (next !== undefined) this.#dispatch(next);
  }

  #dispatch(pending: Pending): void {
    const { question, bytes, isWait, onSent } = pending;
    this.#underWay.set(question.number, pending);
    this.#counts[isWait ? "waits" : "questions"]++;
    onSent();
    this.#send(question, bytes, isWait);
  }

  #nextNumber(): number {
    this.#number = this.#number === 0xffff_ffff ? 1 : this.#number + 1;
    return this.#number;
  }
}

/** The error of a link that broke, whatever broke it. */
export function linkLost(address: string, cause: unknown): TransportError {
  const message = `The link to ${address} broke: ${messageOf(cause)}`;
  return new TransportError("KHONSU_PEER_UNREACHABLE", message, { cause });
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
