/** The clients of a benchmark, in a process of their own, so that their work is not counted as the suite's and has a core if there is one. */
import { answerParent } from "../child.ts";
import { concurrently } from "../concurrently.ts";
import { BATCH, SEALED } from "../one-row.ts";
import { pickKeys } from "../workload.ts";
import type { FromClient, Operation, ToClient } from "./client-messages.ts";
import { type KeyClient, openKeyClient } from "./key-client.ts";
import { KEY_MAP } from "./khonsu-cluster.ts";
import { Probe } from "./probe.ts";

const KEYS = Array.from({ length: 10_000 }, (_, index) => `key/${index}`);
const ATTEMPTS_MAX = 10;
const next = pickKeys(KEYS);

let client: KeyClient | undefined;
let probe: Probe | undefined;

/** Keys of two shards; for etcd, where there are none, any two. */
function pair(): [string, string] {
  const a = next();
  for (;;) {
    const b = next();
    if (KEY_MAP.shardOf(a) !== KEY_MAP.shardOf(b)) return [a, b];
  }
}

function keysIn(shards: readonly number[]): string[] {
  return KEYS.filter((key) => shards.includes(KEY_MAP.shardOf(key)));
}

function operationOf(
  opened: KeyClient,
  operation: Operation,
  shards: readonly number[] | undefined,
): () => Promise<unknown> {
  if (operation === "write") {
    const own = shards === undefined ? next : pickKeys(keysIn(shards));
    return () => persistently(() => opened.write(own()));
  }
  if (operation === "read") return () => persistently(() => opened.read(next()));
  return () => persistently(() => opened[operation](...pair()));
}

/** Each operation may be done twice, so one that a machine out of breath let run into a time limit is done again; the wait counts. */
async function persistently(operation: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await operation();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS_MAX) throw error;
    }
  }
}

async function answer(message: ToClient): Promise<FromClient> {
  if (message.kind === "open") {
    const { cluster: kind, addresses } = message;
    client = await openKeyClient({ kind, addresses, batch: BATCH, bytes: SEALED });
    let loaded = 0;
    await concurrently(64, () => {
      const key = KEYS[loaded++]!;
      return persistently(() => client!.write(key));
    })(message.keys, []);
    return { kind: "done" };
  }
  if (client === undefined) throw new Error("The client is not open");
  if (message.kind === "run") {
    const latencies: number[] = [];
    const { operation, count, inFlight, shards } = message;
    const before = process.cpuUsage();
    await concurrently(inFlight, operationOf(client, operation, shards))(count, latencies);
    const { user, system } = process.cpuUsage(before);
    return { kind: "ran", latencies, cpuSeconds: (user + system) / 1e6 };
  }
  if (message.kind === "probe") {
    probe = new Probe(client, message.key);
    await probe.untilAcknowledged(20);
    return { kind: "done" };
  }
  if (message.kind === "gap") {
    if (probe === undefined) throw new Error("There is no probe");
    const milliseconds = await probe.gap();
    probe = undefined;
    return { kind: "gap", milliseconds };
  }
  await client.close();
  return { kind: "done" };
}

answerParent(answer);
