/**
 * A link without a stream of its own, for browsers: the questions of a turn go out as one request, whose replies come as they
 * are there. Questions that wait for a change share one request however many they are, since a browser has few connections to
 * a node: when one is added, those under way are asked again together with it, which does no harm.
 */
import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { Runtime } from "@khonsu/core";
import type { TransportError } from "../errors.ts";
import {
  type ClientService,
  type DescribeResponse,
  ExchangeRequestSchema,
  type Question,
  QuestionSchema,
  type Reply,
} from "../gen/khonsu/client/v1/client_pb.ts";
import type { Asked, Link } from "./link.ts";
import { linkLost, Questions } from "./questions.ts";

export interface ExchangeLinkOptions {
  readonly address: string;
  readonly client: Client<typeof ClientService>;
  readonly description: DescribeResponse;
  readonly runtime: Runtime;
  readonly onEnd: () => void;
}

interface Sized {
  readonly question: Question;
  readonly bytes: number;
}

export class ExchangeLink implements Link {
  readonly address: string;
  readonly description: DescribeResponse;
  readonly broken: Promise<TransportError>;
  readonly #options: ExchangeLinkOptions;
  readonly #questions: Questions;
  readonly #abort = new AbortController();
  #turn: Sized[] = [];
  /** Questions that wait for a change and have no reply yet, and the request that holds them. */
  readonly #waits = new Map<number, Sized>();
  #waiting = new AbortController();
  #isAskingAgain = false;
  #onBroken: (error: TransportError) => void = () => {};

  constructor(options: ExchangeLinkOptions) {
    this.#options = options;
    this.address = options.address;
    this.description = options.description;
    this.broken = new Promise((resolve) => {
      this.#onBroken = resolve;
    });
    const { address, description: limits, runtime } = options;
    const send = (number: number, asked: Asked) =>
      this.#send(toQuestion(number, asked), asked.body.length, asked.isWait);
    this.#questions = new Questions({ address, limits, runtime, send });
  }

  ask(asked: Asked, limitMs: number): Promise<Uint8Array> {
    return this.#questions.ask(asked, limitMs);
  }

  retire(reason: TransportError): void {
    this.#questions.whenIdle(() => this.close(reason));
  }

  close(reason: TransportError): void {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort(reason);
    this.#waiting.abort(reason);
    this.#questions.end(reason);
    this.#onBroken(reason);
    this.#options.onEnd();
  }

  #send(question: Question, bytes: number, isWait: boolean): void {
    if (isWait) {
      this.#waits.set(question.number, { question, bytes });
      this.#askAgain();
      return;
    }
    if (this.#turn.length === 0) {
      queueMicrotask(() => {
        const turn = this.#turn;
        this.#turn = [];
        this.#exchangeAll(turn, this.#abort.signal);
      });
    }
    this.#turn.push({ question, bytes });
  }

  /** Asks all that waits for a change in one request, in the place of the one before. */
  #askAgain(): void {
    if (this.#isAskingAgain) return;
    this.#isAskingAgain = true;
    queueMicrotask(() => {
      this.#isAskingAgain = false;
      if (this.#waits.size === 0 || this.#abort.signal.aborted) return;
      this.#waiting.abort();
      this.#waiting = new AbortController();
      for (const number of this.#waits.keys()) this.#questions.restart(number);
      this.#exchangeAll([...this.#waits.values()], this.#waiting.signal);
    });
  }

  /** In as few requests as the node takes. */
  #exchangeAll(all: readonly Sized[], signal: AbortSignal): void {
    let questions: Question[] = [];
    let size = 0;
    for (const { question, bytes } of all) {
      if (size + bytes > this.description.questionBytesMax && questions.length > 0) {
        void this.#exchange(questions, signal);
        questions = [];
        size = 0;
      }
      questions.push(question);
      size += bytes;
    }
    if (questions.length > 0) void this.#exchange(questions, signal);
  }

  async #exchange(questions: Question[], signal: AbortSignal): Promise<void> {
    const open = new Set(questions.map(({ number }) => number));
    try {
      for await (const { replies } of this.#options.client.exchange(
        create(ExchangeRequestSchema, { questions }),
        { signal },
      )) {
        if (signal.aborted) return;
        for (const reply of replies) {
          if (reply.reply.case !== "part") {
            open.delete(reply.number);
            this.#waits.delete(reply.number);
          }
          this.#onReply(reply);
        }
      }
      if (open.size > 0) throw new Error("the node left questions open");
    } catch (error) {
      if (!signal.aborted) this.close(linkLost(this.address, error));
    }
  }

  #onReply({ number, reply }: Reply): void {
    if (reply.case === "answer") this.#questions.onAnswer(number, reply.value);
    else if (reply.case === "part") this.#questions.onPart(number, reply.value);
    else this.#questions.onFailure(number, reply.value);
  }
}

function toQuestion(number: number, { shard, body, patienceMs }: Asked): Question {
  if (shard === undefined) {
    return create(QuestionSchema, { number, question: { case: "coordinator", value: body } });
  }
  const value = { shard, request: body, patienceMs };
  return create(QuestionSchema, { number, question: { case: "shard", value } });
}
