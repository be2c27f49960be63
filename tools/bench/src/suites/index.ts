/** The suites by name. Each measures one thing and gives rows of a table. */
import type { Progress } from "../progress.ts";
import { checkers } from "./checkers.ts";
import { core } from "./core.ts";
import { durable } from "./durable.ts";
import { growth } from "./growth.ts";
import { hashRing } from "./hash-ring.ts";
import { memory } from "./memory.ts";
import { paxos } from "./paxos.ts";
import { paxosDurable } from "./paxos-durable.ts";

export type TableRow = Readonly<Record<string, string | number>>;

export interface SuiteOptions {
  /** Fewer rounds and operations: a look, not a figure to quote. */
  readonly quick: boolean;
  readonly progress: Progress;
}

export type Suite = (options: SuiteOptions) => readonly object[] | Promise<readonly object[]>;

export const suites: Readonly<Record<string, Suite>> = {
  checkers: ({ quick }) => checkers(quick ? { transactions: 50_000, operations: 10_000 } : {}),
  core,
  durable,
  growth,
  memory,
  "paxos-durable": paxosDurable,
  paxos,
  "hash-ring": () => hashRing(),
};
