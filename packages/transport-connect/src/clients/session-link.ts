/**
 * A link over one bidirectional stream: all questions of a turn leave in one frame. While an answer is awaited the node must
 * give signs of life; a node that is stopped, or behind a network that swallows everything, is given up on soon.
 */
import { WireWriter } from "@khonsu/cluster/wire";
import type { Runtime } from "@khonsu/core";
import type { TransportError } from "../errors.ts";
import type { DescribeResponse } from "../gen/khonsu/client/v1/client_pb.ts";
import type { Departure } from "../peers/departure.ts";
import { prefixed } from "../peers/message-reader.ts";
import type { PeerStream } from "../peers/peer-stream.ts";
import type { Asked, Link } from "./link.ts";
import { FRAME_BYTES } from "./protocol.ts";
import { linkLost, Questions } from "./questions.ts";
import { SendQueue } from "./send-queue.ts";
import { type LeaderHints, type ResponseHandlers, readResponse, writeQuestion } from "./session-codec.ts";

export interface SessionLinkOptions {
  readonly address: string;
  /** A call of `ClientService.Session`. */
  readonly stream: PeerStream;
  readonly description: DescribeResponse;
  readonly runtime: Pick<Runtime, "now" | "schedule">;
  /** How often an idle stream shows that it is there, and the node is asked for a sign of life, in milliseconds. */
  readonly idleMs: number;
  /** The same while answers are awaited. */
  readonly askMs: number;
  /** How long the node may be silent while answers are awaited; longer by what it takes to send large questions. */
  readonly silenceMs: number;
  /** Told the node's clock, in milliseconds since 1970. */
  readonly onClock: (milliseconds: number) => void;
  /** Told who leads what, as far as the node knows: at first, and when it has changed. */
  readonly onLeaders: (leaders: LeaderHints) => void;
  /** When a message leaves. */
  readonly departure: Departure;
  /** Called when the stream has ended. */
  readonly onEnd: () => void;
}

/** A network is taken to carry this at least, in bytes a millisecond: some 8 Mbit/s. */
const SLOW_BYTES_PER_MS = 1000;
/** Around the body of a question. */
const OVERHEAD_BYTES = 32;
/** The buffer that questions are written to serves again, unless it has grown out of the ordinary. */
const SPARE_BYTES_MAX = 4 * FRAME_BYTES;

/** A frame without questions asks for a sign of life; with questions, their answers are one. */
const SIGN_OF_LIFE = prefixed(new Uint8Array());

interface Numbered {
  readonly number: number;
  readonly asked: Asked;
}

export class SessionLink implements Link {
  readonly address: string;
  readonly description: DescribeResponse;
  readonly broken: Promise<TransportError>;
  readonly #options: SessionLinkOptions;
  readonly #queue: SendQueue<Numbered>;
  readonly #questions: Questions;
  readonly #handlers: ResponseHandlers;
  #writer = new WireWriter(1024);
  #heardAt: number;
  #askedAt: number;
  #cancel = () => {};
  #onBroken: (error: TransportError) => void = () => {};
  #isBroken = false;

  constructor(options: SessionLinkOptions) {
    const { address, departure, description, runtime, stream } = options;
    this.#options = options;
    this.address = address;
    this.description = description;
    this.broken = new Promise((resolve) => {
      this.#onBroken = resolve;
    });
    const encode = (items: readonly Numbered[]) => this.#encode(items);
    this.#queue = new SendQueue({ frameBytes: FRAME_BYTES, departure, stream, encode });
    const send = (number: number, asked: Asked) =>
      this.#queue.put({ number, asked }, asked.body.length + OVERHEAD_BYTES);
    const questions = new Questions({ address, limits: description, runtime, send });
    this.#questions = questions;
    this.#handlers = {
      onAnswer: (number, body) => questions.onAnswer(number, body),
      onPart: (number, body) => questions.onPart(number, body),
      onFailure: (number, failure) => questions.onFailure(number, failure),
      onClock: options.onClock,
      onLeaders: options.onLeaders,
    };
    this.#heardAt = runtime.now();
    this.#askedAt = this.#heardAt;
    this.#listen();
    this.#watch();
  }

  ask(asked: Asked, limitMs: number): Promise<Uint8Array> {
    // Who has not asked for long was not told of silence either.
    if (this.#questions.underWay === 0) this.#heardAt = this.#options.runtime.now();
    return this.#questions.ask(asked, limitMs);
  }

  retire(reason: TransportError): void {
    this.#questions.whenIdle(() => this.close(reason));
  }

  close(reason: TransportError): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#cancel();
    this.#queue.end();
    this.#questions.end(reason);
    this.#options.stream.end();
    this.#onBroken(reason);
    this.#options.onEnd();
  }

  #listen(): void {
    const { address, runtime, stream } = this.#options;
    stream.handlers = {
      onMessage: (message) => {
        this.#heardAt = runtime.now();
        readResponse(message, this.#handlers);
      },
      onDrain: () => this.#queue.resume(),
      onEnd: (error) => this.close(linkLost(address, error ?? "the node ended it")),
    };
    // Opens the session: the node answers with who leads what.
    stream.write(SIGN_OF_LIFE);
  }

  #encode(items: readonly Numbered[]): Uint8Array {
    const writer = this.#writer;
    writer.reset();
    for (const { number, asked } of items) writeQuestion(writer, number, asked);
    if (writer.capacity > SPARE_BYTES_MAX) this.#writer = new WireWriter(1024);
    return prefixed(writer.finish());
  }

  #watch(): void {
    const { runtime, idleMs, askMs, silenceMs, address, stream } = this.#options;
    this.#cancel = runtime.schedule(askMs, () => {
      const now = runtime.now();
      const isAwaited = this.#questions.underWay > 0;
      // What is asked for a sign of life hears of that after what was sent before.
      const patienceMs = silenceMs + this.#questions.bytes / SLOW_BYTES_PER_MS;
      if (isAwaited && now - this.#heardAt > patienceMs) {
        this.close(linkLost(address, `the node was silent for ${Math.round(patienceMs)} ms`));
        return;
      }
      const isQuiet = now - this.#heardAt >= askMs;
      if ((isAwaited && isQuiet) || now - this.#askedAt >= idleMs) {
        this.#askedAt = now;
        stream.write(SIGN_OF_LIFE);
      }
      this.#watch();
    });
  }
}
