import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { threeNodes } from "./three-nodes.ts";

const directory = await mkdtemp(join(tmpdir(), "khonsu-three-nodes-"));
try {
  const { readElsewhere, readAfterRestart } = await threeNodes(directory, [50_052, 50_053, 50_054]);
  console.log(`written through node 1 (port 50052), read through node 2 (port 50053): ${readElsewhere} rows`);
  console.log(`read through node 3 (port 50054) after its restart: ${readAfterRestart} rows`);
} finally {
  await rm(directory, { recursive: true });
}
