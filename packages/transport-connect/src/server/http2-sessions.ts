/**
 * The HTTP/2 connections of a listener: their windows, and their end. A connection that is silent is closed if nothing is open
 * on it, and otherwise asked for a sign of life: a client whose machine is gone never says so.
 */
import type { ServerHttp2Session } from "node:http2";
import { constants } from "node:http2";
import type { ServerLimits } from "./limits.ts";

export class Http2Sessions {
  readonly #limits: ServerLimits;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(limits: ServerLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  add(session: ServerHttp2Session): void {
    if (session.destroyed) return;
    this.#sessions.add(session);
    let streams = 0;
    session.setLocalWindowSize(this.#limits.connectionWindowBytes);
    session.on("stream", (stream) => {
      streams++;
      stream.once("close", () => streams--);
    });
    session.setTimeout(this.#limits.idleTimeoutMs);
    session.on("timeout", () => this.#onSilence(session, streams));
    // What went wrong is told to whoever has a stream on it; the session is gone either way.
    session.on("error", () => {});
    session.once("close", () => this.#sessions.delete(session));
  }

  /** Tells a client that it is one too many. */
  refuse(session: ServerHttp2Session): void {
    session.on("error", () => {});
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from("too many connections"));
    session.close();
  }

  /** Lets what is open finish and takes nothing new. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }

  #onSilence(session: ServerHttp2Session, streams: number): void {
    if (session.destroyed) return;
    if (streams === 0) {
      session.close();
      return;
    }
    const timer = setTimeout(() => session.destroy(), this.#limits.headerTimeoutMs);
    timer.unref();
    session.ping(() => {
      clearTimeout(timer);
      // An answered ping is no activity to the timer, which has gone off.
      if (!session.destroyed) session.setTimeout(this.#limits.idleTimeoutMs);
    });
  }
}
