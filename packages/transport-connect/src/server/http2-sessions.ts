/**
 * The HTTP/2 connections of a listener: their windows, and their end. Now and then each is looked at: one on which nothing is
 * open is closed, and the others are asked for a sign of life, since a client whose machine is gone never says so. One timer
 * does for all: a time-out of a session keeps it in memory beyond its end.
 */
import { constants, type ServerHttp2Session } from "node:http2";
import type { ServerLimits } from "./limits.ts";

interface Watched {
  streams: number;
  /** Whether nothing was opened since the last look, when nothing was open. */
  wasIdle: boolean;
  isAsked: boolean;
}

export class Http2Sessions {
  readonly #limits: ServerLimits;
  readonly #sessions = new Map<ServerHttp2Session, Watched>();
  readonly #timer: NodeJS.Timeout;

  constructor(limits: ServerLimits) {
    this.#limits = limits;
    this.#timer = setInterval(() => this.#look(), limits.idleTimeoutMs).unref();
  }

  get size(): number {
    return this.#sessions.size;
  }

  add(session: ServerHttp2Session): void {
    if (session.destroyed) return;
    const watched: Watched = { streams: 0, wasIdle: false, isAsked: false };
    this.#sessions.set(session, watched);
    session.setLocalWindowSize(this.#limits.connectionWindowBytes);
    session.on("stream", (stream) => {
      watched.streams++;
      watched.wasIdle = false;
      stream.once("close", () => watched.streams--);
    });
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
    clearInterval(this.#timer);
    for (const session of this.#sessions.keys()) session.close();
  }

  #look(): void {
    for (const [session, watched] of this.#sessions) {
      if (watched.streams > 0) this.#askForLife(session, watched);
      else if (watched.wasIdle) session.close();
      else watched.wasIdle = true;
    }
  }

  #askForLife(session: ServerHttp2Session, watched: Watched): void {
    if (watched.isAsked || session.destroyed) return;
    watched.isAsked = true;
    const timer = setTimeout(() => session.destroy(), this.#limits.headerTimeoutMs);
    session.ping(() => {
      clearTimeout(timer);
      watched.isAsked = false;
    });
  }
}
