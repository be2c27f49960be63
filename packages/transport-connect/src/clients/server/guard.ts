/**
 * CL-6: what stands before every route of clients: who has no valid token is refused before a byte of the request's body is read, and
 * pages from elsewhere may call only where their origin is allowed (CORS).
 */
import { type ConnectRouter, cors } from "@connectrpc/connect";
import type {
  UniversalHandler,
  UniversalServerRequest,
  UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import { TransportError } from "../../errors.ts";
import { connectionKey } from "../../server/connection-info.ts";
import {
  type Admission,
  type Authenticator,
  admissionKey,
  unauthenticated,
  uncertified,
} from "./principal.ts";
import { refusal, toConnectError } from "./refusal.ts";
import type { RequestCount } from "./request-count.ts";

export interface GuardOptions {
  readonly authenticator: Authenticator;
  /** Whether a client must have shown a certificate of the clients' authority as well. */
  readonly needsCertificate: boolean;
  /** Origins of pages that may call, such as "https://app.example", or "*" for all. Default: none. */
  readonly origins: readonly string[];
  /** Of those with a token. */
  readonly requests: RequestCount;
}

/** How long a browser may remember what it was told of CORS, in seconds. */
const PREFLIGHT_SECONDS = 7200;

/** Puts a guard before all that `register` adds to the router. @param isOpen whether those without a token may come in */
export function guarded(
  router: ConnectRouter,
  options: GuardOptions,
  register: () => void,
  isOpen = false,
): void {
  const first = router.handlers.length;
  register();
  for (let i = first; i < router.handlers.length; i++) {
    router.handlers[i] = guard(router.handlers[i]!, options, isOpen);
  }
}

/**
 * Who calls, if they may come in.
 *
 * @param isClient whether the connection showed a certificate of the clients' authority
 * @throws TransportError `KHONSU_UNAUTHENTICATED`
 */
export function admit(
  { authenticator, needsCertificate }: Pick<GuardOptions, "authenticator" | "needsCertificate">,
  isClient: boolean,
  authorization: string | null | undefined,
): Admission {
  if (needsCertificate && !isClient) throw uncertified();
  const token = /^Bearer +([^ ]+)$/i.exec(authorization ?? "")?.[1];
  const principal = authenticator.authenticate(token);
  if (principal === undefined) throw unauthenticated(token !== undefined);
  return { principal, token };
}

function guard(handler: UniversalHandler, options: GuardOptions, isOpen: boolean): UniversalHandler {
  const { origins, requests } = options;
  const handle = async (request: UniversalServerRequest): Promise<UniversalServerResponse> => {
    const origin = allowedOrigin(request, origins);
    if (request.method === "OPTIONS") return preflight(origin);
    if (isOpen) return withOrigin(await handler(request), origin);
    try {
      const isClient = request.contextValues?.get(connectionKey).isClient === true;
      const admission = admit(options, isClient, request.header.get("authorization"));
      request.contextValues?.set(admissionKey, admission);
      return withOrigin(await requests.run(request, () => handler(request)), origin);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      return withOrigin(
        refusal(
          toConnectError(error, () => {}),
          request.header.get("content-type"),
        ),
        origin,
      );
    }
  };
  return Object.assign(handle, {
    protocolNames: handler.protocolNames,
    allowedMethods: handler.allowedMethods,
    supportedContentType: handler.supportedContentType,
    requestPath: handler.requestPath,
    service: handler.service,
    method: handler.method,
  });
}

function allowedOrigin({ header }: UniversalServerRequest, origins: readonly string[]): string | undefined {
  const origin = header.get("origin");
  if (origin === null) return undefined;
  if (origins.includes("*")) return "*";
  return origins.includes(origin) ? origin : undefined;
}

function preflight(origin: string | undefined): UniversalServerResponse {
  if (origin === undefined) return { status: 403, header: new Headers({ vary: "origin" }) };
  const header = new Headers({
    "access-control-allow-methods": cors.allowedMethods.join(", "),
    "access-control-allow-headers": ["authorization", ...cors.allowedHeaders].join(", "),
    "access-control-max-age": String(PREFLIGHT_SECONDS),
  });
  return withOrigin({ status: 204, header }, origin);
}

function withOrigin(response: UniversalServerResponse, origin: string | undefined): UniversalServerResponse {
  if (origin === undefined) return response;
  const header = new Headers(response.header);
  header.set("access-control-allow-origin", origin);
  header.set("access-control-expose-headers", cors.exposedHeaders.join(", "));
  header.append("vary", "origin");
  return { ...response, header };
}
