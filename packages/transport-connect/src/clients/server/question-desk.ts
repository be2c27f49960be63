/**
 * CL-5: answers the questions of clients, many at a time and bounded: for one client as for all together. Questions that wait for a
 * change are counted apart, since they hold a place for long and cost next to nothing.
 */
import { create } from "@bufbuild/protobuf";
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
import { type Question, type Reply, ReplySchema } from "../../gen/khonsu/client/v1/client_pb.ts";
import { toFailure } from "../failure.ts";
import { PART_BYTES } from "../protocol.ts";
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

type Count = { questions: number; waits: number };

/** A question as it counts. */
interface Weighed {
  readonly kind: keyof Count;
  readonly bytes: number;
}

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

  /** @internal Replies, in parts where it must be; never rejects. */
  async answer(question: Question, mine: Count, reply: (reply: Reply, bytes: number) => void): Promise<void> {
    const { number } = question;
    try {
      const bytes = await this.#ask(question, mine);
      let at = 0;
      for (; bytes.length - at > PART_BYTES; at += PART_BYTES) {
        const part = bytes.subarray(at, at + PART_BYTES);
        reply(create(ReplySchema, { number, reply: { case: "part", value: part } }), part.length);
      }
      const last = at === 0 ? bytes : bytes.subarray(at);
      reply(create(ReplySchema, { number, reply: { case: "answer", value: last } }), last.length);
    } catch (error) {
      const failure = toFailure(error, (what) => this.#options.onFailure("a question of a client", what));
      reply(create(ReplySchema, { number, reply: { case: "failure", value: failure } }), 256);
    }
  }

  #ask({ question }: Question, mine: Count): Promise<Uint8Array> {
    switch (question.case) {
      case "shard": {
        const { shard, request, patienceMs } = question.value;
        const asked = decodeShardRequest(request);
        this.#options.gate.checkShardRequest(shard, asked);
        const weighed: Weighed = { kind: isWait(asked) ? "waits" : "questions", bytes: request.length };
        return this.#counted(weighed, mine, () => this.#askShard(shard, asked, patienceMs));
      }
      case "coordinator": {
        const asked = decodeCoordinatorRequest(question.value);
        this.#options.gate.checkCoordinatorRequest(asked);
        const { coordinator } = this.#options;
        const weighed: Weighed = { kind: "questions", bytes: question.value.length };
        return this.#counted(weighed, mine, async () => {
          const result =
            asked.kind === "commit"
              ? await coordinator.commit(asked.id, asked.requests)
              : await coordinator.recover(asked.id, asked.participants);
          return encodeCommitResult(result);
        });
      }
      case undefined:
        throw new ClusterError("KHONSU_REQUEST_MALFORMED", "Cannot answer: the question is empty");
    }
  }

  async #askShard(shard: number, asked: ShardRequest, patienceMs: number): Promise<Uint8Array> {
    const patience = patienceMs === 0 ? undefined : Math.min(patienceMs, PATIENCE_MAX_MS);
    return encodeShardAnswer(await this.#options.shards.ask(shard, asked, patience));
  }

  async #counted({ kind, bytes }: Weighed, mine: Count, ask: () => Promise<Uint8Array>): Promise<Uint8Array> {
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
    try {
      return await ask();
    } finally {
      mine[kind]--;
      this.#total[kind]--;
      this.#bytes -= bytes;
    }
  }
}

/** The questions of one client. */
export class Seat {
  readonly #desk: QuestionDesk;
  readonly #mine: Count = { questions: 0, waits: 0 };

  constructor(desk: QuestionDesk) {
    this.#desk = desk;
  }

  /** @param reply called once, or several times for an answer in parts; never after it has resolved */
  answer(question: Question, reply: (reply: Reply, bytes: number) => void): Promise<void> {
    return this.#desk.answer(question, this.#mine, reply);
  }
}

function isWait({ kind }: ShardRequest): boolean {
  return kind === "changes" || kind === "awaitChange";
}

function overloaded(why: string): TransportError {
  return new TransportError("KHONSU_OVERLOADED", `Cannot answer: ${why}`);
}
