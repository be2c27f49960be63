/** One request to a node. Not `fetch`, which cannot be told whose certificates to believe. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { text as textOf } from "node:stream/consumers";
import type { ClientTls } from "@khonsu/transport-connect";

export interface NodeConnection {
  readonly token?: string | undefined;
  /** Undefined: not encrypted. */
  readonly tls?: ClientTls | undefined;
  /** How long the node may take, in milliseconds. Default 2,000. */
  readonly patienceMs?: number;
}

export interface NodeRequestParts {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** @throws Error where there is no answer in time */
export function send(
  address: string,
  { method, path, body }: NodeRequestParts,
  { token, tls, patienceMs = 2000 }: NodeConnection,
): Promise<{ readonly status: number; readonly text: string }> {
  const options = {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    signal: AbortSignal.timeout(patienceMs),
    ...(tls !== undefined && { ca: tls.ca, cert: tls.certificate, key: tls.key }),
  };
  return new Promise((resolve, reject) => {
    const request =
      tls === undefined
        ? httpRequest(`http://${address}${path}`, options)
        : httpsRequest(`https://${address}${path}`, options);
    const isLate = (error: Error) => error.name === "TimeoutError" || error.name === "AbortError";
    request.on("error", (error) =>
      reject(isLate(error) ? new Error(`no answer within ${patienceMs} ms`) : error),
    );
    request.on("response", (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    request.end(body);
  });
}
