/**
 * `ClientService.Session`, as gRPC and without Connect: a stream with the questions of one client and the replies to them, and with
 * who leads what. Who has no valid token gets no further than the headers, and it is looked at again with every frame (CL-6).
 */
import type { HybridClock } from "@khonsu/cluster";
import { WireWriter } from "@khonsu/cluster/wire";
import type { Runtime } from "@khonsu/core";
import { TransportError } from "../../errors.ts";
import { NodeDeparture } from "../../peers/departure.ts";
import { prefixed } from "../../peers/message-reader.ts";
import { NOBODY } from "../../peers/peer-stream.ts";
import { ServerStream } from "../../peers/server-stream.ts";
import type { StreamRoutes } from "../../server/stream-routes.ts";
import { FRAME_BYTES, SESSION_PATH } from "../protocol.ts";
import { SendQueue } from "../send-queue.ts";
import { encodeResponse, type ReplyItem, readRequest } from "../session-codec.ts";
import type { StreamLimits } from "./client-service.ts";
import { admit, type GuardOptions } from "./guard.ts";
import type { LeaderBoard } from "./leader-board.ts";
import { type Admission, assertStillAdmitted } from "./principal.ts";
import type { QuestionDesk, Seat } from "./question-desk.ts";
import { toConnectError } from "./refusal.ts";
import { Silence } from "./silence.ts";

export interface SessionServiceOptions {
  readonly desk: QuestionDesk;
  readonly clock: Pick<HybridClock, "milliseconds">;
  readonly runtime: Runtime;
  readonly guard: GuardOptions;
  readonly leaders: LeaderBoard;
  readonly limits: StreamLimits;
  readonly onFailure: (what: string, error: unknown) => void;
}

/** A frame of questions has at most so many bytes beyond the largest question. */
const FRAME_OVERHEAD_BYTES = 1024;
const CLOCK_BYTES = 16;
/** The buffer that replies are written to serves again, unless it has grown out of the ordinary. */
const SPARE_BYTES_MAX = 4 * FRAME_BYTES;

export function serveSessions(streams: StreamRoutes, options: SessionServiceOptions): void {
  const { guard, limits, onFailure } = options;
  const bytesMax = Math.max(limits.questionBytesMax, FRAME_BYTES) + FRAME_OVERHEAD_BYTES;
  const toStatus = (error: unknown) => toConnectError(error, (inner) => onFailure("Session", inner));
  streams.handle(SESSION_PATH, (call) => {
    const stream = new ServerStream(call, bytesMax, toStatus);
    try {
      const { connection, request, response } = call;
      const admission = admit(guard, connection.isClient, request.headers.authorization);
      response.stream.once("close", guard.requests.enter());
      new Session(stream, admission, options);
    } catch (error) {
      stream.end(error as TransportError);
    }
  });
}

class Session {
  readonly #options: SessionServiceOptions;
  readonly #stream: ServerStream;
  readonly #admission: Admission;
  readonly #seat: Seat;
  readonly #replies: SendQueue<ReplyItem>;
  readonly #silence: Silence;
  readonly #leave: () => void;
  #writer = new WireWriter(1024);
  #underWay = 0;
  /** The client has asked all that it will, and waits for its replies. */
  #isClosing = false;
  #isPaused = false;
  #isEnded = false;

  constructor(stream: ServerStream, admission: Admission, options: SessionServiceOptions) {
    const { desk, leaders, limits, runtime } = options;
    this.#options = options;
    this.#stream = stream;
    this.#admission = admission;
    this.#seat = desk.seat();
    this.#replies = new SendQueue({
      frameBytes: FRAME_BYTES,
      departure: new NodeDeparture(),
      stream,
      encode: (items) => this.#encode(items),
      onSent: () => this.#onSent(),
    });
    this.#silence = new Silence(runtime, limits.silenceMs, () => {
      const message = `Cannot serve the client: it was silent for ${limits.silenceMs} ms`;
      this.#end(new TransportError("KHONSU_CLIENT_TOO_SLOW", message));
    });
    this.#silence.begin();
    stream.handlers = {
      onMessage: (message) => this.#onFrame(message),
      onDrain: () => this.#replies.resume(),
      onEnd: (error) => this.#onEnd(error),
    };
    this.#leave = leaders.join((hints) => this.#put({ kind: "leaders", leaders: hints }, CLOCK_BYTES));
  }

  #onFrame(message: Uint8Array): void {
    const { clock, guard, limits } = this.#options;
    assertStillAdmitted(guard.authenticator, this.#admission);
    const questions = readRequest(message);
    if (questions.length === 0) this.#put({ kind: "clock", milliseconds: clock.milliseconds() }, CLOCK_BYTES);
    this.#underWay += questions.length;
    for (const question of questions) this.#seat.answer(question, this.#onReply);
    if (this.#replies.bytes <= limits.replyBytesSoft) this.#silence.begin();
    else if (!this.#isPaused && !this.#isEnded) {
      this.#isPaused = true;
      this.#silence.pause();
      this.#stream.pause();
    }
  }

  readonly #onReply = (reply: ReplyItem, bytes: number, isLast: boolean): void => {
    if (isLast) this.#underWay--;
    this.#put(reply, bytes);
  };

  #put(reply: ReplyItem, bytes: number): void {
    const { replyBytesMax } = this.#options.limits;
    this.#replies.put(reply, bytes);
    if (this.#replies.bytes <= replyBytesMax) return;
    const message = `Cannot serve the client: more than ${replyBytesMax} bytes of replies wait for it`;
    this.#end(new TransportError("KHONSU_CLIENT_TOO_SLOW", message));
  }

  #onSent(): void {
    if (this.#isPaused && this.#replies.bytes <= this.#options.limits.replyBytesSoft) {
      this.#isPaused = false;
      this.#silence.begin();
      this.#stream.resume();
    }
    if (this.#isClosing && this.#underWay === 0 && this.#replies.isEmpty) this.#end(undefined);
  }

  #onEnd(error: TransportError | undefined): void {
    this.#isClosing = true;
    this.#silence.pause();
    this.#leave();
    if (error !== undefined || (this.#underWay === 0 && this.#replies.isEmpty)) this.#end(error);
  }

  #end(error: TransportError | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#silence.stop();
    this.#leave();
    this.#replies.end();
    this.#stream.handlers = NOBODY;
    this.#stream.end(error);
  }

  #encode(items: readonly ReplyItem[]): Uint8Array {
    const message = prefixed(encodeResponse(items, this.#writer));
    if (this.#writer.capacity > SPARE_BYTES_MAX) this.#writer = new WireWriter(1024);
    return message;
  }
}
