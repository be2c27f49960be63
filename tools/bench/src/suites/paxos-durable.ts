/**
 * Consensus with synced writes: entries of 100 bytes decided a second by 1, 8 and 64 groups of three replicas, whose six synced writes an
 * entry share one device, beside the device's own rate of synced writes one at a time. Sixteen callers a group. What
 * group commit is worth is how many times the second the first is.
 */
import { type BenchCase, compare, type Subject } from "../compare.ts";
import { PaxosGroups } from "../paxos-groups.ts";
import { fdatasyncOf, onDisk } from "../peers/durable-peers.ts";
import type { SuiteResult } from "../report/row.ts";
import type { SuiteOptions } from "./index.ts";

const CALLERS = 16;
/** Synced writes of the device alone in a round. */
const SYNCS = 50;
const COMMAND = new Uint8Array(100).fill(0x61);
/** Groups, and how many entries are decided in a round. */
const SIZES = [
  [1, 500],
  [8, 2_000],
  [64, 10_000],
] as const;

interface Caller {
  readonly group: number;
  readonly client: number;
  sequence: number;
}

function decided(count: number): Subject {
  return onDisk("khonsu paxos on LevelAcceptorLog", async (directory) => {
    const groups = await PaxosGroups.open(directory, count);
    const callers = Array.from(
      { length: count * CALLERS },
      (_, index): Caller => ({ group: index % count, client: 1 + index, sequence: 1 }),
    );
    const run = async (operations: number, latencies: number[]) => {
      let left = operations;
      const calls = async (caller: Caller) => {
        while (left > 0) {
          left--;
          const started = performance.now();
          await groups.decide(caller.group, caller.client, caller.sequence++, COMMAND);
          latencies.push((performance.now() - started) * 1000);
        }
      };
      await Promise.all(callers.map(calls));
    };
    return { run, close: () => groups.close() };
  });
}

export async function paxosDurable({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const scale = quick ? 0.25 : 1;
  const cases = SIZES.map(([groups, operations]): BenchCase => {
    const total = Math.ceil(operations * scale);
    return {
      name: `entries decided, ${groups} ${groups === 1 ? "group" : "groups"}`,
      operations: total,
      slice: total,
      subjects: [decided(groups), { ...fdatasyncOf(512, 1), share: SYNCS / total }],
    };
  });
  return {
    rows: await compare(cases, { suite: "paxos-durable", rounds: quick ? 3 : 15, progress }),
    details: [],
  };
}
