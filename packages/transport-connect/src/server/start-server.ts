/**
 * The one listener of a node: peers, clients, health, and pages. Stops gracefully: those who are connected are told to go
 * elsewhere (GOAWAY), what is under way may finish within a bound, and then whoever is left is cut off.
 */
import type { AddressInfo } from "node:net";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { messageOf, TransportError } from "../errors.ts";
import { connectHandler, type NodeRequest, type NodeResponse } from "./connect-handler.ts";
import { DEFAULT_SERVER_LIMITS, resolveLimits, type ServerLimits } from "./limits.ts";
import { Listener } from "./listener.ts";
import type { StreamRoutes } from "./stream-routes.ts";
import { assertUsable, type TlsIdentity } from "./tls.ts";

export interface ServerOptions {
  /** Where to listen. Default 127.0.0.1; `0.0.0.0` or `::` for all interfaces. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** Default: none, so that everything travels as it is. */
  readonly tls?: TlsIdentity | undefined;
  /** Registers services, and streams that are served by hand. Long streams must end when the `signal` of their context is aborted. */
  readonly routes: (router: ConnectRouter, streams: StreamRoutes) => void;
  /** Serves what is no call, such as pages; returns whether it has taken the request on. Default: nothing is found. */
  readonly http?: (request: NodeRequest, response: NodeResponse) => boolean;
  readonly limits?: Partial<ServerLimits>;
  /** Told of requests that could not be answered; for a log. Default: nobody. */
  readonly onFailure?: (what: string, error: unknown) => void;
}

export interface RunningServer {
  readonly host: string;
  readonly port: number;
  /** Open connections. */
  readonly connections: number;
  /**
   * Stops listening, lets what is under way finish, and cuts off what is left. Safe to call again.
   *
   * @param graceMs how long what is under way may take, in milliseconds. Default 5,000.
   */
  stop(graceMs?: number): Promise<void>;
}

/** How often idle connections are looked for while the server stops, in milliseconds. */
const DRAIN_STEP_MS = 20;

/**
 * @throws TransportError `KHONSU_LISTEN_FAILED` if the address cannot be listened on; `KHONSU_TLS_INVALID`;
 * `KHONSU_INVALID_OPTION` for a limit out of range
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 0, tls, routes, http = () => false, onFailure = () => {} } = options;
  const limits = resolveLimits(DEFAULT_SERVER_LIMITS, options.limits);
  if (tls !== undefined) assertUsable(tls);
  const shutdown = new AbortController();
  const { messageBytesMax } = limits;
  const shutdownSignal = shutdown.signal;
  const handler = connectHandler({ routes, http, messageBytesMax, shutdownSignal, onFailure });
  const listener = new Listener(handler, limits, tls);
  const address = await listen(listener, host, port);

  let stopped: Promise<void> | undefined;
  return {
    host: address.address,
    port: address.port,
    get connections() {
      return listener.connections;
    },
    stop(graceMs = 5000) {
      stopped ??= stop(listener, shutdown, graceMs);
      return stopped;
    },
  };
}

function listen(listener: Listener, host: string, port: number): Promise<AddressInfo> {
  const { server } = listener;
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      listener.drain();
      const message = `Cannot listen on ${host}:${port}: ${messageOf(cause)}`;
      reject(new TransportError("KHONSU_LISTEN_FAILED", message, { cause }));
    });
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      // What goes wrong with one connection that comes in (too many open files) ends no server.
      server.on("error", () => {});
      resolve(server.address() as AddressInfo);
    });
  });
}

function stop(listener: Listener, shutdown: AbortController, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const steps = setInterval(() => listener.closeIdle(), DRAIN_STEP_MS);
    const timer = setTimeout(() => listener.destroy(), graceMs);
    listener.server.once("close", () => {
      clearInterval(steps);
      clearTimeout(timer);
      resolve();
    });
    listener.drain();
    shutdown.abort(new ConnectError("the server stops", Code.Unavailable));
  });
}
