/** What the suite for consensus needs of the implementation under test and of the test runner. */
import type { Consensus, LogApplication } from "@khonsu/cluster";

/** The log of one group: its replicas, and what outlives them. It starts empty. */
export interface ConsensusGroup {
  /** The nodes of the replicas, one or more. Under virtual time, or with one process each: whatever `open` takes. */
  readonly replicas: readonly number[];
  /** Opens a replica on what it has left behind, with an application that is as new. Called while it is not open. */
  open(replica: number, application: LogApplication): Promise<Consensus>;
  /** Makes of an open replica what a kill of its process leaves. The handle is not used afterwards. */
  crash(replica: number): Promise<void> | void;
  /** Lets a little time go by, some milliseconds. Default: of the machine. */
  pause?(): Promise<void>;
  /** Runs a case: a group under virtual time lets time go by until it has settled. Default: awaits it. */
  run?(body: Promise<void>): Promise<void>;
  /** Closes what is open and gives back what it holds. Called once, at the end. */
  dispose?(): Promise<void> | void;
}

/** Cases that an implementation cannot run. There is no other way to skip. */
export interface ConsensusSupports {
  /** It calls `save` within some hundreds of commands, and `restore` after a crash. Default: true. */
  readonly checkpoints?: boolean;
}

export interface ConsensusSuiteOptions {
  /** The test function of any runner: `test` of vitest, of `node:test`, or another. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A new, empty group. */
  readonly factory: () => Promise<ConsensusGroup> | ConsensusGroup;
  readonly supports?: ConsensusSupports;
}
