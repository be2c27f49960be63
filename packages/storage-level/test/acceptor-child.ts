/**
 * The process that is killed while it writes to acceptor logs. Each group accepts and decides one slot a write; every tenth write makes an
 * image current and trims. Says on its output "open", and of each acknowledged write its group and slot.
 */
import { writeSync } from "node:fs";
import type { AcceptorStorage, DurableRecord, Recovered, Slot, WriteId } from "@khonsu/paxos";
import { replicaId } from "@khonsu/paxos";
import { ballotOf, commandAt, imageAt } from "@khonsu/paxos/testing";
import { LevelAcceptorLog } from "../src/acceptor/index.ts";

export const GROUPS = 4;

function recordsOf(slot: Slot): DurableRecord[] {
  return [
    { kind: "promised", ballot: ballotOf(slot) },
    { kind: "accepted", ballot: ballotOf(slot), first: slot, entries: [commandAt(slot)] },
    { kind: "decided", slot, chain: slot },
  ];
}

async function work(group: number, storage: AcceptorStorage, recovered: Recovered): Promise<never> {
  let write = 0;
  const persist = (...records: DurableRecord[]) =>
    storage.write({ write: ++write as WriteId, settled: (write - 1) as WriteId, records });
  await persist({ kind: "identity", replica: replicaId(1), genesis: undefined, run: 1 });
  for (let slot = (recovered.decided + 1) as Slot; ; slot = (slot + 1) as Slot) {
    await persist(...recordsOf(slot));
    writeSync(1, `${group} ${slot}\n`);
    if (slot % 10 !== 0) continue;
    const { checkpoint, image } = imageAt(slot, 2000);
    await storage.saveImage(slot, image);
    await persist({ kind: "checkpoint", checkpoint, trimmed: (slot - 5) as Slot });
  }
}

if (process.argv[2] !== undefined && process.argv[1] === import.meta.filename) {
  const log = await LevelAcceptorLog.open(process.argv[2]);
  const storages = Array.from({ length: GROUPS }, (_, group) => log.group(String(group)));
  const recovered = await Promise.all(storages.map((storage) => storage.recover()));
  writeSync(1, "open\n");
  await Promise.all(storages.map((storage, group) => work(group, storage, recovered[group]!)));
}
