/**
 * What one node has for another, on its way to one link: the frames that wait on both streams, and the questions that were asked.
 * It is there before the link is, so that what is said while a node is dialled for the first time is not lost; and it ends with
 * the link, so that a question never gets an answer from another life of the node (WIRE-9).
 */
import type { Runtime } from "@khonsu/core";
import { TransportError } from "../errors.ts";
import { FrameKind } from "../gen/khonsu/peer/v1/peer_pb.ts";
import { Asks } from "./asks.ts";
import { FrameQueue } from "./frame-queue.ts";
import type { PeerLimits } from "./options.ts";
import type { Dropped, TrafficCounter } from "./status.ts";

const EMPTY: Uint8Array = new Uint8Array();
const encoder = new TextEncoder();

export interface OutboxOptions {
  /** For errors. */
  readonly node: number;
  readonly limits: PeerLimits;
  readonly runtime: Runtime;
  readonly sent: TrafficCounter;
  readonly dropped: Dropped;
}

export class Outbox {
  readonly main: FrameQueue;
  readonly bulk: FrameQueue;
  readonly asks: Asks;
  readonly #options: OutboxOptions;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.main = new FrameQueue(options.limits, options.sent);
    this.bulk = new FrameQueue(options.limits, options.sent);
    this.asks = new Asks(options.runtime);
  }

  get queuedBytes(): number {
    return this.main.bytes + this.bulk.bytes;
  }

  /** Sends a message, or drops and counts it. */
  message(group: number, body: Uint8Array, isBulk: boolean): void {
    const { dropped, limits } = this.#options;
    if (body.length > limits.messageBytesMax) dropped.tooLarge++;
    else if (!(isBulk ? this.bulk : this.main).push(FrameKind.MESSAGE, group, "", body)) dropped.full++;
  }

  question(channel: string, body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const { dropped, limits, node } = this.#options;
    if (body.length > limits.messageBytesMax) {
      dropped.tooLarge++;
      return Promise.reject(tooLarge("A question", body.length, limits.messageBytesMax));
    }
    if (this.asks.size >= limits.asksMax) {
      dropped.full++;
      return Promise.reject(overloaded(`${this.asks.size} questions to node ${node} wait for an answer`));
    }
    const { answer, number } = this.asks.open(`Node ${node}`, timeoutMs);
    if (!this.main.push(FrameKind.QUESTION, number, channel, body)) {
      dropped.full++;
      this.asks.fail(number, overloaded(`the queue for node ${node} is full`));
    }
    return answer;
  }

  /** An answer for which there is no room is lost: the asker's time runs out. */
  answer(number: number, body: Uint8Array): void {
    const { dropped, limits } = this.#options;
    if (body.length > limits.messageBytesMax) {
      dropped.tooLarge++;
      this.failure(number, tooLarge("The answer", body.length, limits.messageBytesMax));
    } else if (!this.main.push(FrameKind.ANSWER, number, "", body)) dropped.full++;
  }

  failure(number: number, { code, message }: { readonly code: string; readonly message: string }): void {
    const text = encoder.encode(message.slice(0, 1000));
    if (!this.main.push(FrameKind.FAILURE, number, code, text)) this.#options.dropped.full++;
  }

  ping(number: number): void {
    this.main.push(FrameKind.PING, number, "", EMPTY);
  }

  pong(number: number): void {
    this.main.push(FrameKind.PONG, number, "", EMPTY);
  }

  /**
   * Drops what waits and rejects what was asked.
   *
   * @param error what the askers are told
   * @param tell what the other side is told; undefined: only that the stream is over
   */
  end(error: TransportError, tell?: TransportError): void {
    this.main.end(tell);
    this.bulk.end(tell);
    this.asks.failAll(error);
  }
}

function tooLarge(what: string, bytes: number, max: number): TransportError {
  return new TransportError(
    "KHONSU_FRAME_TOO_LARGE",
    `${what} of ${bytes} bytes is above the limit of ${max}`,
  );
}

function overloaded(why: string): TransportError {
  return new TransportError("KHONSU_OVERLOADED", `Cannot ask: ${why}`);
}
