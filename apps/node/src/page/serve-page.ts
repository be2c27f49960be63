/**
 * The status page as its files, for the node's HTTP listener: `GET /` and what it loads from `/page/`. Everything is read once, nothing
 * comes from elsewhere, and the browser is told to hold to that.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { HttpRoute } from "../node/http-routes.ts";

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

/** What answers for the page. */
export function statusPage(): HttpRoute {
  const assets = loadAssets();
  const policy = contentPolicy(assets.get("/")!.body.toString());
  return (path, request, response) => {
    const asset = assets.get(path);
    if (asset === undefined) return false;
    response.setHeader("content-type", asset.type);
    response.setHeader("content-security-policy", policy);
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("referrer-policy", "no-referrer");
    response.setHeader("cache-control", "no-cache");
    response.setHeader("etag", asset.tag);
    const isKnown = request.headers["if-none-match"] === asset.tag;
    response.statusCode = isKnown ? 304 : 200;
    if (isKnown || request.method === "HEAD") response.end();
    else response.end(asset.body);
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
