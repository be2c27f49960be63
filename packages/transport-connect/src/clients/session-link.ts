/**
 * A link over one bidirectional stream: all questions of a turn leave in one frame. While an answer is awaited the node must
 * give signs of life; a node that is stopped, or behind a network that swallows everything, is given up on soon.
 */
import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { Runtime } from "@khonsu/core";
import type { TransportError } from "../errors.ts";
import {
  type ClientService,
  type DescribeResponse,
  type Question,
  type SessionRequest,
  SessionRequestSchema,
} from "../gen/khonsu/client/v1/client_pb.ts";
import type { Asked, Link } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { FRAME_BYTES } from "./protocol.ts";
import { linkLost, Questions } from "./questions.ts";

export interface SessionLinkOptions {
  readonly address: string;
  readonly client: Client<typeof ClientService>;
  readonly description: DescribeResponse;
  readonly runtime: Runtime;
  /** How often an idle stream shows that it is there, and the node is asked for a sign of life, in milliseconds. */
  readonly idleMs: number;
  /** The same while answers are awaited. */
  readonly askMs: number;
  /** How long the node may be silent while answers are awaited; longer by what it takes to send large questions. */
  readonly silenceMs: number;
  /** Told the node's clock, in milliseconds since 1970. */
  readonly onClock: (milliseconds: number) => void;
  readonly endOfTurn: () => Promise<void>;
  /** Called when the stream has ended. */
  readonly onEnd: () => void;
}

/** A network is taken to carry this at least, in bytes a millisecond: some 8 Mbit/s. */
const SLOW_BYTES_PER_MS = 1000;

type Item = Question | "sign of life";

export class SessionLink implements Link {
  readonly address: string;
  readonly description: DescribeResponse;
  readonly broken: Promise<TransportError>;
  readonly #options: SessionLinkOptions;
  readonly #outbox: Outbox<Item>;
  readonly #questions: Questions;
  readonly #abort = new AbortController();
  /** Of the questions that are on their way, or wait to be. */
  #bytesUnderWay = 0;
  #heardAt: number;
  #askedAt: number;
  #cancel = () => {};
  #onBroken: (error: TransportError) => void = () => {};
  #isBroken = false;

  constructor(options: SessionLinkOptions) {
    this.#options = options;
    this.address = options.address;
    this.description = options.description;
    this.broken = new Promise((resolve) => {
      this.#onBroken = resolve;
    });
    this.#outbox = new Outbox({ frameBytes: FRAME_BYTES, endOfTurn: options.endOfTurn });
    this.#questions = new Questions(options.description, (question, bytes) =>
      this.#outbox.put(question, bytes),
    );
    this.#heardAt = options.runtime.now();
    this.#askedAt = this.#heardAt;
    void this.#read();
    this.#watch();
  }

  ask(question: Asked, bytes: number, isWait: boolean, onSent: () => void): Promise<Uint8Array> {
    // Who has not asked for long was not told of silence either.
    if (this.#questions.underWay === 0) this.#heardAt = this.#options.runtime.now();
    this.#bytesUnderWay += bytes;
    return this.#questions.ask(question, bytes, isWait, onSent).finally(() => {
      this.#bytesUnderWay -= bytes;
    });
  }

  retire(reason: TransportError): void {
    this.#questions.whenIdle(() => this.close(reason));
  }

  close(reason: TransportError): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#cancel();
    this.#outbox.end();
    this.#questions.end(reason);
    this.#abort.abort(reason);
    this.#onBroken(reason);
    this.#options.onEnd();
  }

  async #read(): Promise<void> {
    const { client, address, onClock, runtime } = this.#options;
    try {
      for await (const { replies, clock } of client.session(this.#requests(), {
        signal: this.#abort.signal,
      })) {
        this.#heardAt = runtime.now();
        if (clock !== undefined) onClock(Number(clock));
        for (const reply of replies) this.#questions.onReply(reply);
      }
      this.close(linkLost(address, "the node ended it"));
    } catch (error) {
      this.close(linkLost(address, error));
    }
  }

  async *#requests(): AsyncGenerator<SessionRequest, void, undefined> {
    for await (const items of this.#outbox.frames()) {
      const questions = items.filter((item) => item !== "sign of life");
      // A frame without questions asks for a sign of life; with questions, their answers are one.
      yield create(SessionRequestSchema, { questions });
      if (questions.length > 0 && questions.length < items.length) yield create(SessionRequestSchema);
    }
  }

  #watch(): void {
    const { runtime, idleMs, askMs, silenceMs, address } = this.#options;
    this.#cancel = runtime.schedule(askMs, () => {
      const now = runtime.now();
      const isAwaited = this.#questions.underWay > 0;
      // What is asked for a sign of life hears of that after what was sent before.
      const patienceMs = silenceMs + this.#bytesUnderWay / SLOW_BYTES_PER_MS;
      if (isAwaited && now - this.#heardAt > patienceMs) {
        this.close(linkLost(address, `the node was silent for ${Math.round(patienceMs)} ms`));
        return;
      }
      const isQuiet = now - this.#heardAt >= askMs;
      if ((isAwaited && isQuiet) || now - this.#askedAt >= idleMs) {
        this.#askedAt = now;
        this.#outbox.put("sign of life", 1);
      }
      this.#watch();
    });
  }
}
