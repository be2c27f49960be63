/**
 * CL-5: answers the questions of clients, many at a time and bounded: for one client as for all together. Questions that wait for a
 * change are counted apart, since they hold a place for long and cost next to nothing.
 */
import {
  ClusterError,
  type CommitCoordinator,
  decodeCoordinatorRequest,
  decodeShardRequest,
  encodeCommitResult,
  encodeShardAnswer,
  type ShardAccess,
  type ShardRequest,
} from "@khonsu/cluster";
import { TransportError } from "../../errors.ts";
import { toFailure } from "../failure.ts";
import { PART_BYTES } from "../protocol.ts";
import type { AskedQuestion, ReplyItem } from "../session-codec.ts";
import type { QuestionGate } from "./question-gate.ts";

export interface DeskLimits {
  /** Questions under way of one client; further ones are answered with `KHONSU_OVERLOADED`. Default 1,024. */
  readonly questionsMax: number;
  /** Questions of one client that wait for a change. Default 4,096. */
  readonly waitsMax: number;
  /** Questions under way of all clients, of those who are gone as well. Default 16,384. */
  readonly questionsTotalMax: number;
  /** The same of those that wait for a change. Default 65,536. */
  readonly waitsTotalMax: number;
  /** Bytes of the questions under way of all clients, those that wait for a change among them. Default 256 MiB. */
  readonly questionBytesTotalMax: number;
}

export const DEFAULT_DESK_LIMITS: DeskLimits = Object.freeze({
  questionsMax: 1024,
  waitsMax: 4096,
  questionsTotalMax: 16_384,
  waitsTotalMax: 65_536,
  questionBytesTotalMax: 256 * 1024 * 1024,
});

export interface DeskOptions {
  readonly shards: ShardAccess;
  readonly coordinator: CommitCoordinator;
  readonly gate: QuestionGate;
  readonly limits: DeskLimits;
  /** Told of errors without a code. */
  readonly onFailure: (what: string, error: unknown) => void;
}

/** How long a question may have a replica take, in milliseconds. */
const PATIENCE_MAX_MS = 15_000;
/** What a failure is taken to weigh, in bytes. */
const FAILURE_BYTES = 256;

type Count = { questions: number; waits: number };

/** Takes a reply, or one of several for an answer in parts; `isLast` once for each question. */
export type OnReply = (reply: ReplyItem, bytes: number, isLast: boolean) => void;

export class QuestionDesk {
  readonly limits: DeskLimits;
  readonly #options: DeskOptions;
  readonly #total: Count = { questions: 0, waits: 0 };
  #bytes = 0;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.limits = options.limits;
  }

  /** Questions under way, of all clients. */
  get underWay(): Readonly<Count> {
    return this.#total;
  }

  /** A place for one client. */
  seat(): Seat {
    return new Seat(this);
  }

  /** @internal Never throws. */
  answer(question: AskedQuestion, mine: Count, onReply: OnReply): void {
    const { body, shard } = question;
    try {
      if (body === undefined)
        throw new ClusterError("KHONSU_REQUEST_MALFORMED", "Cannot answer: the question is empty");
      if (shard === undefined) this.#coordinate(question, body, mine, onReply);
      else this.#askShard(question, shard, body, mine, onReply);
    } catch (error) {
      this.#refuse(question, error, onReply);
    }
  }

  #coordinate(question: AskedQuestion, body: Uint8Array, mine: Count, onReply: OnReply): void {
    const { coordinator, gate } = this.#options;
    const asked = decodeCoordinatorRequest(body);
    gate.checkCoordinatorRequest(asked);
    this.#enter("questions", body.length, mine);
    const ask = () =>
      asked.kind === "commit"
        ? coordinator.commit(asked.id, asked.requests)
        : coordinator.recover(asked.id, asked.participants);
    this.#follow(ask, encodeCommitResult, "questions", question, mine, onReply);
  }

  #askShard(question: AskedQuestion, shard: number, body: Uint8Array, mine: Count, onReply: OnReply): void {
    const { gate, shards } = this.#options;
    const asked = decodeShardRequest(body);
    gate.checkShardRequest(shard, asked);
    const kind = isWait(asked) ? "waits" : "questions";
    this.#enter(kind, body.length, mine);
    const { patienceMs } = question;
    const patience = patienceMs === 0 ? undefined : Math.min(patienceMs, PATIENCE_MAX_MS);
    const ask = () => shards.ask(shard, asked, patience);
    this.#follow(ask, encodeShardAnswer, kind, question, mine, onReply);
  }

  /** Asks, replies once the result is there, and leaves the place that the question had. */
  #follow<T>(
    ask: () => Promise<T>,
    encode: (result: T) => Uint8Array,
    kind: keyof Count,
    question: AskedQuestion,
    mine: Count,
    onReply: OnReply,
  ): void {
    const onError = (error: unknown) => {
      this.#leave(kind, question, mine);
      this.#refuse(question, error, onReply);
    };
    const onResult = (result: T) => {
      let bytes: Uint8Array;
      try {
        bytes = encode(result);
      } catch (error) {
        return onError(error);
      }
      this.#leave(kind, question, mine);
      reply(question.number, bytes, onReply);
    };
    try {
      void ask().then(onResult, onError);
    } catch (error) {
      onError(error);
    }
  }

  #refuse({ number }: AskedQuestion, error: unknown, onReply: OnReply): void {
    const failure = toFailure(error, (what) => this.#options.onFailure("a question of a client", what));
    onReply({ kind: "failure", number, failure }, FAILURE_BYTES, true);
  }

  #enter(kind: keyof Count, bytes: number, mine: Count): void {
    const { limits } = this;
    const total = kind === "questions" ? limits.questionsTotalMax : limits.waitsTotalMax;
    const own = kind === "questions" ? limits.questionsMax : limits.waitsMax;
    if (mine[kind] >= own) throw overloaded(`${own} ${kind} of this client are under way`);
    if (this.#total[kind] >= total) throw overloaded(`${total} ${kind} of clients are under way`);
    // A question alone is let in whatever it weighs, as far as questions may be large at all.
    if (this.#bytes > 0 && this.#bytes + bytes > limits.questionBytesTotalMax) {
      throw overloaded(`questions of clients with ${this.#bytes} bytes are under way`);
    }
    mine[kind]++;
    this.#total[kind]++;
    this.#bytes += bytes;
  }

  #leave(kind: keyof Count, { body }: AskedQuestion, mine: Count): void {
    mine[kind]--;
    this.#total[kind]--;
    this.#bytes -= body?.length ?? 0;
  }
}

/** The questions of one client. */
export class Seat {
  readonly #desk: QuestionDesk;
  readonly #mine: Count = { questions: 0, waits: 0 };

  constructor(desk: QuestionDesk) {
    this.#desk = desk;
  }

  answer(question: AskedQuestion, onReply: OnReply): void {
    this.#desk.answer(question, this.#mine, onReply);
  }
}

/** In parts where it is too large for one. */
function reply(number: number, bytes: Uint8Array, onReply: OnReply): void {
  let at = 0;
  for (; bytes.length - at > PART_BYTES; at += PART_BYTES) {
    onReply({ kind: "part", number, body: bytes.subarray(at, at + PART_BYTES) }, PART_BYTES, false);
  }
  const last = at === 0 ? bytes : bytes.subarray(at);
  onReply({ kind: "answer", number, body: last }, last.length, true);
}

function isWait({ kind }: ShardRequest): boolean {
  return kind === "changes" || kind === "awaitChange";
}

function overloaded(why: string): TransportError {
  return new TransportError("KHONSU_OVERLOADED", `Cannot answer: ${why}`);
}
