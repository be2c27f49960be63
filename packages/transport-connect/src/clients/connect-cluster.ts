/** Clients in Node: one bidirectional stream over HTTP/2 to each node that they need. */
import type { SecureClientSessionOptions } from "node:http2";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { systemRuntime } from "@khonsu/core";
import { messageOf, TransportError } from "../errors.ts";
import { ClientService } from "../gen/khonsu/client/v1/client_pb.ts";
import { ClientStream } from "../peers/client-stream.ts";
import { NodeDeparture } from "../peers/departure.ts";
import { assertUsable } from "../server/tls.ts";
import { type ClientOptions, ClusterClient, type LinkOpener } from "./cluster-client.ts";
import { authorizationOf, describeNode, withToken } from "./describe.ts";
import { SESSION_PATH } from "./protocol.ts";
import { SessionLink } from "./session-link.ts";

/** PEM texts. */
export interface ClientTls {
  /** The authorities in whose certificates the client believes. Default: those of the machine. */
  readonly ca?: string | undefined;
  /** What the client shows, with those between it and its authority, and its private key: both, for nodes that ask for it. Default: nothing. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

export interface ConnectOptions extends ClientOptions {
  /** Encrypts. Default: everything travels as it is. */
  readonly tls?: ClientTls | undefined;
  /** How long a node may give no sign of life while answers are awaited, in milliseconds; what is large may take its time. Default 1,000. */
  readonly silenceMs?: number;
}

/** Shows a node that the client is there, every so many milliseconds; nodes end sessions that are silent for long. */
const IDLE_MS = 10_000;

/** Answers larger than this are not taken, in parts they come anyway. */
const FRAME_BYTES_MAX = 16 * 1024 * 1024;

/** What a node may send ahead of what is read, in bytes: on the session, and on the connection. */
const WINDOW_BYTES = 1024 * 1024;

/**
 * Connects to a cluster.
 *
 * @example
 * const client = await connectCluster({ addresses: ["127.0.0.1:50052"] });
 * await client.transact(async (tx) => tx.append("ledger", rows));
 *
 * @throws ClusterError `KHONSU_UNAVAILABLE` if no node can be reached in time; `KHONSU_UNAUTHENTICATED`, `KHONSU_PROTOCOL_VERSION`;
 *   TransportError `KHONSU_INVALID_OPTION`
 */
export async function connectCluster(options: ConnectOptions): Promise<ClusterClient> {
  const { runtime = systemRuntime } = options;
  return ClusterClient.connect(options, runtime, sessionOpener(options));
}

function sessionOpener({ tls, token, silenceMs = 1000 }: ConnectOptions): LinkOpener {
  const secure = secureOptions(tls);
  return (runtime, clock, onLeaders) => async (address, signal) => {
    const baseUrl = `${tls === undefined ? "http" : "https"}://${address}`;
    const settings = { initialWindowSize: WINDOW_BYTES, enablePush: false };
    const sessionManager = new Http2SessionManager(baseUrl, {}, { ...secure, settings });
    const interceptors = withToken(token);
    const client = createClient(
      ClientService,
      createConnectTransport({ httpVersion: "2", baseUrl, sessionManager, interceptors }),
    );
    // The connection may break after the description, and another one take as long as the system lets it.
    const giveUp = () => sessionManager.abort();
    signal.addEventListener("abort", giveUp, { once: true });
    try {
      const description = await describeNode(client, address, signal, clock);
      return new SessionLink({
        address,
        stream: await openSession(sessionManager, authorizationOf(token)),
        description,
        runtime,
        idleMs: IDLE_MS,
        askMs: silenceMs / 4,
        silenceMs,
        departure: new NodeDeparture(),
        onClock: (milliseconds) => clock.set(milliseconds),
        onLeaders,
        onEnd: () => sessionManager.abort(),
      });
    } catch (error) {
      sessionManager.abort();
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  };
}

/** Calls `ClientService.Session`, without Connect: what passes there is frequent and small. */
async function openSession(manager: Http2SessionManager, authorization: string | undefined) {
  const headers = {
    "content-type": "application/grpc+proto",
    te: "trailers",
    ...(authorization !== undefined && { authorization }),
  };
  const stream = await manager.request("POST", SESSION_PATH, headers, {});
  stream.session?.setLocalWindowSize(2 * WINDOW_BYTES);
  // The stream is told as well, and first: by then nobody else listens, since its end is the end of the manager.
  stream.session?.on("error", () => {});
  const toError = (reason: unknown) =>
    new TransportError("KHONSU_PEER_UNREACHABLE", messageOf(reason), { cause: reason });
  return new ClientStream(stream, FRAME_BYTES_MAX, toError);
}

/** @throws TransportError `KHONSU_INVALID_OPTION`, `KHONSU_TLS_INVALID` */
function secureOptions({ ca, certificate, key }: ClientTls = {}): SecureClientSessionOptions {
  if ((certificate === undefined) !== (key === undefined)) {
    const message = "Cannot connect: a certificate and its key are given together, or neither";
    throw new TransportError("KHONSU_INVALID_OPTION", message);
  }
  if (certificate !== undefined && key !== undefined) assertUsable({ certificate, key });
  return {
    ...(ca !== undefined && { ca }),
    ...(certificate !== undefined && { cert: certificate, key }),
  };
}
