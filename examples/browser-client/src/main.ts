/** A node that serves the page; open it in two windows. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNode } from "@khonsu/node";
import { boardPage } from "./board-page.ts";

const address = "127.0.0.1:50052";
const data = await mkdtemp(join(tmpdir(), "khonsu-board-"));
const node = await startNode(
  { node: 1, cluster: "board", data, found: [{ node: 1, address }], log: { level: "warn" } },
  { pages: [await boardPage()] },
);
await node.ready();
console.log(`http://${address}/board    (Ctrl-C ends it)`);
process.once("SIGINT", () => {
  node.stop().then(() => rm(data, { recursive: true }));
});
