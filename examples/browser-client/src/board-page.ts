/** The page and its bundle as a route of a node, so that it comes from where its data is. esbuild makes the bundle, in memory. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { HttpRoute } from "@khonsu/node";
import { build } from "esbuild";

export async function boardPage(): Promise<HttpRoute> {
  const html = await readFile(new URL("page/index.html", import.meta.url));
  const script = await bundle();
  return (path, _request, response) => {
    const isPage = path === "/board";
    if (!isPage && path !== "/board/app.js") return false;
    response.setHeader(
      "content-type",
      isPage ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8",
    );
    response.end(isPage ? html : script);
    return true;
  };
}

async function bundle(): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("page/app.ts", import.meta.url))],
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  return outputFiles[0]!.contents;
}
