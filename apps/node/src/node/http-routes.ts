/** What a node serves to whoever comes with a browser, a scraper or curl: `GET /status.json`, `GET /metrics`, changes of members, and pages of others. */
import type { NodeRequest, NodeResponse } from "@khonsu/transport-connect";
import type { NodeMetrics } from "./node-metrics.ts";
import type { NodeStatus } from "./node-status.ts";

/** Serves a path, or says that it is not its own. */
export type HttpRoute = (path: string, request: NodeRequest, response: NodeResponse) => boolean;

export function httpRoutes(
  status: () => NodeStatus,
  metrics: NodeMetrics,
  others: readonly HttpRoute[],
  admin: HttpRoute,
): (request: NodeRequest, response: NodeResponse) => boolean {
  const own: HttpRoute = (path, _request, response) => {
    if (path === "/status.json") {
      respond(response, 200, "application/json", `${JSON.stringify(status())}\n`);
      return true;
    }
    if (path !== "/metrics") return false;
    metrics.text().then(
      (text) => respond(response, 200, metrics.contentType, text),
      (error: unknown) => respond(response, 500, "text/plain", `${String(error)}\n`),
    );
    return true;
  };
  return (request, response) => {
    const path = (request.url ?? "/").split("?", 1)[0]!;
    if (admin(path, request, response)) return true;
    if (request.method !== "GET" && request.method !== "HEAD") return false;
    return [own, ...others].some((route) => route(path, request, response));
  };
}

function respond(response: NodeResponse, status: number, type: string, body: string): void {
  response.statusCode = status;
  response.setHeader("content-type", type);
  response.setHeader("cache-control", "no-store");
  response.end(body);
}
