/** The suites by name. Each measures one thing; `Row` and `Detail` say in which form. */
import type { Progress } from "../progress.ts";
import type { SuiteResult } from "../report/row.ts";
import { arrow } from "./arrow.ts";
import { checkers } from "./checkers.ts";
import { cluster } from "./cluster.ts";
import { core } from "./core.ts";
import { durable } from "./durable.ts";
import { failover } from "./failover.ts";
import { growth } from "./growth.ts";
import { hashRing } from "./hash-ring.ts";
import { memory } from "./memory.ts";
import { paxos } from "./paxos.ts";
import { paxosDurable } from "./paxos-durable.ts";
import { smallBank, tpcc, ycsb } from "./workloads.ts";

export interface SuiteOptions {
  /** Fewer rounds and operations: a look, not a figure to quote. */
  readonly quick: boolean;
  readonly progress: Progress;
}

export type Suite = (options: SuiteOptions) => Promise<SuiteResult>;

export const suites: Readonly<Record<string, Suite>> = {
  arrow,
  checkers: ({ quick }) => checkers(quick ? { transactions: 50_000, operations: 10_000 } : {}),
  cluster,
  core,
  durable,
  failover,
  growth,
  memory,
  "paxos-durable": paxosDurable,
  paxos,
  "hash-ring": (options) => hashRing(options),
  smallbank: smallBank,
  ycsb,
  tpcc,
};
