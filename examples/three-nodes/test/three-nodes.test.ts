import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { threeNodes } from "../src/three-nodes.ts";

/** Ports that were free a moment ago. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}

test("what is written through one node is read through another, and after a restart", async () => {
  const directory = await mkdtemp(join(tmpdir(), "khonsu-three-nodes-"));
  try {
    const told = await threeNodes(directory, await freePorts(3));
    expect(told).toEqual({ readElsewhere: 3, readAfterRestart: 6 });
  } finally {
    await rm(directory, { recursive: true });
  }
});
