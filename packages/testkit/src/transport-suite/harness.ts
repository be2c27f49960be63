/** What the suite for transports needs of the implementation under test and of the test runner. */
import type { ShardAnswer, ShardRequest, Transport } from "@khonsu/cluster";

/** Answers what comes in for a shard; does not reject, but may take as long as it likes. */
export type Serve = (shard: number, request: ShardRequest) => Promise<ShardAnswer>;

/** Nodes that can reach each other. Empty at first; nodes are numbered from 1. */
export interface TransportNetwork {
  /** Starts a node. It may have run before, and is then found again by the others. */
  start(node: number, serve: Serve): Promise<Transport>;
  /** Makes of a node what a kill of its process leaves. Its transport is not used afterwards. */
  stop(node: number): Promise<void> | void;
  /** Runs a case: a network under virtual time lets time go by until it has settled. Default: awaits it. */
  run?(body: Promise<void>): Promise<void>;
  /** Closes what is open. Called once, at the end. */
  dispose?(): Promise<void> | void;
}

export interface TransportSuiteOptions {
  /** The test function of any runner: `test` of vitest, of `node:test`, or another. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  readonly factory: () => Promise<TransportNetwork> | TransportNetwork;
  /** Bytes of the largest value that is sent. Default: 2 MiB; a scan of a shard answers with as much as one page, 1 MiB. */
  readonly largestBytes?: number;
}
