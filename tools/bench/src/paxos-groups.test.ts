/** What the durable suites measure is what they say: entries are decided by three replicas, each on its own log on disk. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LevelAcceptorLog } from "@khonsu/storage-level/acceptor-log";
import { expect, test } from "vitest";
import { PaxosGroups } from "./paxos-groups.ts";

test("entries decided by two groups are in the logs of a majority of nodes", {
  timeout: 60_000,
}, async () => {
  const directory = await mkdtemp(join(tmpdir(), "bench-paxos-"));
  const groups = await PaxosGroups.open(directory, 2);
  const command = Uint8Array.of(7);
  for (const group of [0, 1])
    for (let sequence = 1; sequence <= 5; sequence++) await groups.decide(group, 9, sequence, command);
  await groups.close();
  for (const group of ["group 0", "group 1"]) {
    let holding = 0;
    for (const node of [1, 2, 3]) {
      const log = await LevelAcceptorLog.open(join(directory, `node ${node}`));
      const { entries } = await log.group(group).recover();
      const commands = entries.filter(({ entry }) => entry?.kind === "command" && entry.client === 9);
      if (commands.length === 5) holding++;
      await log.close();
    }
    expect(holding).toBeGreaterThanOrEqual(2);
  }
  await rm(directory, { recursive: true });
});
