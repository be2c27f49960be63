/**
 * Streams of HTTP/2 that are served without Connect, on the same port and in the same protocol: Connect passes each message of a stream
 * through a dozen of asynchronous iterators, which costs several times what the message itself does. For the few streams that
 * carry most of what a node hears; everything else is a service of the router.
 */
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { ConnectionInfo } from "./connection-info.ts";

/** A request that is answered by hand. */
export interface StreamCall {
  readonly request: Http2ServerRequest;
  readonly response: Http2ServerResponse;
  readonly connection: ConnectionInfo;
  /** Aborted when the server stops: the stream is to end then. */
  readonly signal: AbortSignal;
}

export type StreamHandler = (call: StreamCall) => void;

export class StreamRoutes {
  readonly #handlers = new Map<string, StreamHandler>();

  /** Has the calls of `path`, such as `/khonsu.peer.v1.PeerService/Link`, handled by `handler`; it goes before a route of the router. */
  handle(path: string, handler: StreamHandler): void {
    this.#handlers.set(path, handler);
  }

  get(path: string): StreamHandler | undefined {
    return this.#handlers.get(path);
  }
}
