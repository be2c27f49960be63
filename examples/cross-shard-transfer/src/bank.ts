/** One node with two shards, an account in each, and transfers between them: every one is a two-phase commit. */
import {
  ClusterNode,
  ClusterSession,
  type CommitCoordinator,
  type Patience,
  ShardMapPlacement,
  type ShardStatus,
} from "@khonsu/cluster";
import { type Runtime, systemRuntime, type TransactionContext } from "@khonsu/core";
import { type RecordBatch, tableFromArrays } from "apache-arrow";
import { memoryLog } from "./memory-log.ts";

const SELF = 1;
const SHARDS = 2;

export interface Bank {
  readonly node: ClusterNode;
  /** An account in each shard. */
  readonly accounts: readonly [string, string];
}

export function account(balance: number): RecordBatch {
  return tableFromArrays({ balance: Int32Array.of(balance) }).batches[0]!;
}

export function balanceIn(batch: RecordBatch | undefined): number {
  return Number(batch?.getChild("balance")?.get(0) ?? 0);
}

/** @param patience how long others wait for a coordinator before they finish its work */
export async function openBank(
  patience: Partial<Patience> = {},
  runtime: Runtime = systemRuntime,
): Promise<Bank> {
  const placement = new ShardMapPlacement({ shardCount: SHARDS, nodes: [{ id: SELF }] });
  const node = await ClusterNode.open({
    self: SELF,
    placement,
    transport: { ask: (to) => Promise.reject(new Error(`There is no node ${to}`)) },
    openConsensus: async (_shard, application) => memoryLog(application, SELF),
    runtime,
    wallClock: Date.now,
    patience,
  });
  const nameIn = (shard: number): string => {
    for (let i = 1; ; i++) if (placement.shardOf(`account/${i}`) === shard) return `account/${i}`;
  };
  const accounts = [nameIn(0), nameIn(1)] as const;
  await node.session().transact((tx) => {
    for (const key of accounts) tx.write(key, account(100));
  });
  return { node, accounts };
}

/** The same code would run against an embedded store. */
export async function transfer(
  tx: TransactionContext,
  from: string,
  to: string,
  amount: number,
): Promise<void> {
  const [source, target] = [balanceIn(await tx.read(from)), balanceIn(await tx.read(to))];
  if (source < amount) throw new Error(`${from} has ${source} only`);
  tx.write(from, account(source - amount));
  tx.write(to, account(target + amount));
}

export async function balances({ node, accounts }: Bank): Promise<[number, number]> {
  return node
    .session()
    .transact(async (tx) => [balanceIn(await tx.read(accounts[0])), balanceIn(await tx.read(accounts[1]))], {
      readOnly: true,
    });
}

/** How many transactions each shard has prepared and not decided. */
export function inDoubt({ node }: Bank): number[] {
  return [0, 1].map((shard) => node.replicaOf(shard)!.log.machine.preparedCount);
}

/** A session whose coordinator dies after `requests` requests to participants: nobody hears of what it was doing. */
export function dyingSession(
  { node }: Bank,
  requests: number,
  runtime: Runtime = systemRuntime,
): ClusterSession {
  let left = requests;
  const coordinator: CommitCoordinator = {
    recover: (id, participants) => node.coordinators.recover(id, participants),
    commit: async (id, parts) => {
      const participants = [...parts.keys()].sort((a, b) => a - b);
      const ask = async (shard: number, what: "prepare" | "commit"): Promise<ShardStatus> => {
        if (left-- <= 0) throw new Error("The coordinator died");
        const request = parts.get(shard)!;
        const asked =
          what === "commit"
            ? ({ kind: what, id, participants, request, votes } as const)
            : ({ kind: what, id, participants, request } as const);
        return node.router.askParticipant(shard, asked);
      };
      // There are two: the other one votes first, home last.
      const [other] = participants.filter((shard) => shard !== id.home);
      const vote = await ask(other!, "prepare");
      const votes = vote.kind === "prepared" ? vote.value : undefined;
      await ask(id.home, "commit");
      throw new Error("The coordinator died");
    },
  };
  return new ClusterSession({ shards: node.router, coordinator, clock: node.clock, runtime });
}
