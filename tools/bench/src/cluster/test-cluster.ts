/** Three processes on loopback, each on a directory of its own: what the suites `cluster` and `failover` measure. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MemberProcess } from "./member-process.ts";

export type ClusterKind = "khonsu" | "etcd";
export const MEMBERS = 3;
const POLL_MS = 20;
const LIMIT_MS = 60_000;

export interface TestCluster {
  readonly kind: ClusterKind;
  /** For clients, as host:port. */
  readonly addresses: readonly string[];
  readonly members: readonly MemberProcess[];
  /** Whether the member at `index` takes part. */
  isReady(index: number): Promise<boolean>;
  /** The index of the member through which writes of `key` go; undefined while there is none. */
  leaderOf(key: string): Promise<number | undefined>;
  close(): Promise<void>;
}

/** Makes a cluster in a new directory, starts it, and waits until all members take part. */
export async function startCluster(make: (directory: string) => Promise<TestCluster>): Promise<TestCluster> {
  const directory = await mkdtemp(join(tmpdir(), "bench-cluster-"));
  const made = await make(directory);
  const close = async () => {
    for (const member of made.members) await member.kill();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    for (const member of made.members) await member.start();
    for (let index = 0; index < made.members.length; index++) await untilReady(made, index);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...made, isReady: (index) => made.isReady(index), leaderOf: (key) => made.leaderOf(key), close };
}

export async function untilReady(cluster: TestCluster, index: number): Promise<void> {
  await until(async () => {
    cluster.members[index]!.assertRunning();
    return (await cluster.isReady(index).catch(() => false)) ? true : undefined;
  });
}

/** The first defined answer. @throws Error after a minute. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`Not within ${LIMIT_MS} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
