/**
 * A link that is up: two streams, either of which carries frames both ways, and the signs of life that tell whether the other
 * side is still there. What comes in is handed on as it comes; the end is told once. What cannot be read ends the link (WIRE-4), and so
 * does silence (WIRE-8).
 */
import type { Runtime } from "@khonsu/core";
import { messageOf, TransportError, type TransportErrorCode } from "../errors.ts";
import { FrameKind } from "../gen/khonsu/peer/v1/peer_pb.ts";
import { unsealed } from "./batch-message.ts";
import type { FrameQueue } from "./frame-queue.ts";
import { type Batch, readFrames } from "./frames.ts";
import type { Agreed } from "./handshake.ts";
import type { PeerLimits } from "./options.ts";
import type { Outbox } from "./outbox.ts";
import type { PeerStream } from "./peer-stream.ts";
import type { TrafficCounter } from "./status.ts";

const decoder = new TextDecoder();

export interface LinkHandlers {
  readonly onMessage: (group: number, body: Uint8Array) => void;
  readonly onAsk: (channel: string, body: Uint8Array) => Promise<Uint8Array>;
  /** Called once. */
  readonly onEnd: (error: TransportError) => void;
}

export interface LinkOptions {
  readonly remote: Agreed;
  /** The number of the node that dialled. */
  readonly dialledBy: number;
  /** Of the handshake, in hexadecimal. */
  readonly id: string;
  readonly outbox: Outbox;
  readonly limits: PeerLimits;
  readonly runtime: Runtime;
  readonly received: TrafficCounter;
  readonly handlers: LinkHandlers;
}

export class Link {
  readonly remote: Agreed;
  readonly dialledBy: number;
  readonly id: string;
  readonly outbox: Outbox;
  readonly #options: LinkOptions;
  /** Aborted when the link has ended. */
  readonly ended = new AbortController();
  #serving = 0;
  #silentHeartbeats = 0;
  #pingedAt: number | undefined;
  #pings = 0;
  #roundTripMs: number | undefined;

  constructor(options: LinkOptions) {
    this.remote = options.remote;
    this.dialledBy = options.dialledBy;
    this.id = options.id;
    this.outbox = options.outbox;
    this.#options = options;
  }

  get serving(): number {
    return this.#serving;
  }

  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  get isEnded(): boolean {
    return this.ended.signal.aborted;
  }

  /** Whether nobody waits for an answer over it, on this side. */
  get isIdle(): boolean {
    return this.#serving === 0 && this.outbox.asks.size === 0 && this.outbox.queuedBytes === 0;
  }

  /** Has `stream` carry the frames of `queue` one way and ours the other, until the link ends. */
  carry(stream: PeerStream, queue: FrameQueue): void {
    const left = new TransportError("KHONSU_PEER_UNREACHABLE", `Node ${this.remote.node} ended the link`);
    stream.handlers = {
      onMessage: (message) => this.#receiveBatch(unsealed(message)),
      onDrain: () => queue.resume(),
      onEnd: (error) => this.end(error ?? left),
    };
    queue.sendBy(stream);
  }

  /** Once a heartbeat: gives the link up if there was nothing for too long, and gives a sign of life. */
  beat(): void {
    const { limits, runtime } = this.#options;
    this.#silentHeartbeats++;
    if (this.#silentHeartbeats > limits.silentHeartbeatsMax) {
      const silence = `Node ${this.remote.node} gave no sign of life for ${this.#silentHeartbeats} heartbeats`;
      this.end(new TransportError("KHONSU_PEER_UNREACHABLE", silence));
      return;
    }
    this.#pingedAt = runtime.now();
    this.outbox.ping(++this.#pings);
  }

  /** Ends both streams. The other side is told why if it is its fault. */
  end(error: TransportError): void {
    if (this.isEnded) return;
    this.ended.abort();
    const isTheirFault = error.code.startsWith("KHONSU_FRAME_");
    this.outbox.end(unreachable(this.remote.node, error), isTheirFault ? error : undefined);
    this.#options.handlers.onEnd(error);
  }

  #receiveBatch(batch: Batch): void {
    this.#silentHeartbeats = 0;
    const count = readFrames(batch, (kind, number, name, body) => this.#onFrame(kind, number, name, body));
    this.#options.received.count(count, batch.frames.length);
  }

  #onFrame(kind: FrameKind, number: number, name: string, body: Uint8Array): void {
    const { asks } = this.outbox;
    switch (kind) {
      case FrameKind.MESSAGE:
        this.#options.handlers.onMessage(number, body);
        break;
      case FrameKind.QUESTION:
        this.#serve(number, name, body);
        break;
      case FrameKind.ANSWER:
        asks.answer(number, body);
        break;
      case FrameKind.FAILURE:
        asks.fail(number, this.#failure(name, decoder.decode(body)));
        break;
      case FrameKind.PING:
        this.outbox.pong(number);
        break;
      case FrameKind.PONG:
        if (number === this.#pings && this.#pingedAt !== undefined) {
          this.#roundTripMs = this.#options.runtime.now() - this.#pingedAt;
        }
        break;
    }
  }

  #serve(number: number, channel: string, body: Uint8Array): void {
    const { handlers, limits } = this.#options;
    if (this.#serving >= limits.servedMax) {
      this.outbox.failure(number, {
        code: "KHONSU_OVERLOADED",
        message: `${this.#serving} questions are being answered`,
      });
      return;
    }
    this.#serving++;
    handlers
      .onAsk(channel, body)
      .then(
        (answer) => this.outbox.answer(number, answer),
        (error: unknown) => this.outbox.failure(number, { code: codeOf(error), message: messageOf(error) }),
      )
      .finally(() => this.#serving--);
  }

  /** What the other side could not do. Codes that are not of this package are told in the message. */
  #failure(code: string, message: string): TransportError {
    const known: TransportErrorCode[] = [
      "KHONSU_OVERLOADED",
      "KHONSU_FRAME_TOO_LARGE",
      "KHONSU_TRANSPORT_CLOSED",
    ];
    const own = known.find((each) => each === code);
    if (own !== undefined) return new TransportError(own, `Node ${this.remote.node}: ${message}`);
    return new TransportError("KHONSU_PEER_FAILED", `Node ${this.remote.node} failed (${code}): ${message}`);
  }
}

/** What those are told who asked over a link that has ended. */
function unreachable(node: number, cause: TransportError): TransportError {
  if (cause.code === "KHONSU_TRANSPORT_CLOSED") return cause;
  const message = `The link to node ${node} ended before the answer came: ${cause.message}`;
  return new TransportError("KHONSU_PEER_UNREACHABLE", message, { cause });
}

function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code.slice(0, 100) : "KHONSU_PEER_FAILED";
}
