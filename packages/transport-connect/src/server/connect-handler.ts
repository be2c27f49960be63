/**
 * Connect's handlers as a listener of Node's HTTP servers. In place of `connectNodeAdapter`, because that lets a request with an
 * impossible authority throw out of the listener, which ends the process, and prints failed requests to the console.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createConnectRouter,
  createContextValues,
} from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { connectionKey, connectionOf } from "./connection-info.ts";
import { StreamRoutes } from "./stream-routes.ts";

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;
export type NodeHandler = (request: NodeRequest, response: NodeResponse) => void;

export interface ConnectHandlerOptions {
  readonly routes: (router: ConnectRouter, streams: StreamRoutes) => void;
  /** Whatever is no call: returns whether it has taken the request on. */
  readonly http: (request: NodeRequest, response: NodeResponse) => boolean;
  readonly messageBytesMax: number;
  /** Aborted when the server stops: the signals of all handlers are. */
  readonly shutdownSignal: AbortSignal;
  /** Told what became of a request whose answer could not be written. */
  readonly onFailure: (what: string, error: unknown) => void;
}

type Handle = ConnectRouter["handlers"][number];

export function connectHandler(options: ConnectHandlerOptions): NodeHandler {
  const { messageBytesMax, shutdownSignal } = options;
  const router = createConnectRouter({
    acceptCompression: [compressionGzip, compressionBrotli],
    readMaxBytes: messageBytesMax,
    writeMaxBytes: messageBytesMax,
    shutdownSignal,
  });
  const streams = new StreamRoutes();
  options.routes(router, streams);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    const handler = handlers.get(path);
    try {
      if (serveStream(streams, path, request, response, shutdownSignal)) return;
      if (handler !== undefined) call(handler, request, response, options);
      else if (!options.http(request, response)) answer(response, 404, "not found");
    } catch (error) {
      // A request that cannot even be taken apart, such as one without a usable authority; or a route that threw.
      options.onFailure(`${request.method} ${request.url}`, error);
      answer(response, handler === undefined ? 500 : 400, handler === undefined ? "failed" : "bad request");
    }
  };
}

/** @returns whether it is a call of gRPC that is served by hand. */
function serveStream(
  streams: StreamRoutes,
  path: string,
  request: NodeRequest,
  response: NodeResponse,
  signal: AbortSignal,
): boolean {
  const handler = streams.get(path);
  if (handler === undefined || !(request instanceof Http2ServerRequest)) return false;
  if (!(response instanceof Http2ServerResponse) || !isGrpc(request.headers["content-type"])) return false;
  handler({ request, response, connection: connectionOf(request), signal });
  return true;
}

function isGrpc(type: string | undefined): boolean {
  return type === "application/grpc" || type === "application/grpc+proto";
}

function call(
  handler: Handle,
  request: NodeRequest,
  response: NodeResponse,
  options: ConnectHandlerOptions,
): void {
  const values = createContextValues().set(connectionKey, connectionOf(request));
  const universal = universalRequestFromNodeRequest(request, response, undefined, values);
  handler(universal)
    .then((answered) => universalResponseToNodeResponse(answered, response))
    .catch((error: unknown) => {
      if (!isClientGone(response, error)) options.onFailure(handler.requestPath, error);
      response.destroy();
    });
}

/** Whether the answer could not be written because nobody is there to read it: every client that closes ends so. */
function isClientGone(response: NodeResponse, error: unknown): boolean {
  const isEnded = "stream" in response ? response.stream.destroyed : response.destroyed;
  return isEnded && error instanceof ConnectError && [Code.Aborted, Code.Canceled].includes(error.code);
}

/** A plain answer, for those who do not speak Connect. */
export function answer(response: NodeResponse, status: number, text: string): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.statusCode = status;
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`${text}\n`);
}
