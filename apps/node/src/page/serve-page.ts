/**
 * The status page as its files, for the node's HTTP listener: `GET /` and what it loads from `/page/`. Everything is read once, nothing
 * comes from elsewhere, and the browser is told to hold to that.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { fileURLToPath } from "node:url";

interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly tag: string;
}

const FILES: Readonly<Record<string, string>> = {
  "index.html": "text/html; charset=utf-8",
  "page.css": "text/css; charset=utf-8",
  "icon.svg": "image/svg+xml",
  "chart.js": "text/javascript; charset=utf-8",
  "colors.js": "text/javascript; charset=utf-8",
  "conflicts.js": "text/javascript; charset=utf-8",
  "format.js": "text/javascript; charset=utf-8",
  "history.js": "text/javascript; charset=utf-8",
  "main.js": "text/javascript; charset=utf-8",
  "ring.js": "text/javascript; charset=utf-8",
  "tables.js": "text/javascript; charset=utf-8",
  "view.js": "text/javascript; charset=utf-8",
};

/** Just these of a request and a response, so that HTTP/1.1 and HTTP/2 both do. */
type Request = Pick<IncomingMessage, "method" | "url"> & {
  readonly headers: { readonly "if-none-match"?: string | undefined };
};
type Response = Pick<ServerResponse, "writeHead" | "end">;

/**
 * What answers for the page.
 *
 * @returns a function that says whether the request was for the page, and if so has answered it.
 */
export function statusPage(): (request: Request, response: Response) => boolean {
  const assets = loadAssets();
  const policy = contentPolicy(assets.get("/")!.body.toString());
  return (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://node");
    const asset = assets.get(pathname);
    if (asset === undefined) return false;
    const headers = {
      "content-type": asset.type,
      "content-security-policy": policy,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "cache-control": "no-cache",
      etag: asset.tag,
    };
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" });
      response.end();
    } else if (request.headers["if-none-match"] === asset.tag) {
      response.writeHead(304, headers);
      response.end();
    } else {
      response.writeHead(200, { ...headers, "content-length": asset.body.length });
      response.end(request.method === "HEAD" ? undefined : asset.body);
    }
    return true;
  };
}

function loadAssets(): ReadonlyMap<string, Asset> {
  const directory = new URL("./browser/", import.meta.url);
  const assets = new Map<string, Asset>(
    Object.entries(FILES).map(
      ([name, type]) => [`/page/${name}`, load(new URL(name, directory), type)] as const,
    ),
  );
  assets.set("/", assets.get("/page/index.html")!);
  // The copy for browsers lies beside the one that Node resolves to.
  const lit = new URL("../lit-html.js", import.meta.resolve("lit-html"));
  assets.set("/page/lit-html.js", load(lit, "text/javascript; charset=utf-8"));
  return assets;
}

function load(url: URL, type: string): Asset {
  const body = readFileSync(fileURLToPath(url));
  return { type, body, tag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"` };
}

/** Only what this node serves, and the one script that stands in the page itself: the map of imports. */
function contentPolicy(page: string): string {
  const inline = page.match(/<script type="importmap">(.*?)<\/script>/s)?.[1];
  if (inline === undefined) throw new Error("The status page has no map of imports");
  const hash = createHash("sha256").update(inline).digest("base64");
  return [
    "default-src 'none'",
    `script-src 'self' 'sha256-${hash}'`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
