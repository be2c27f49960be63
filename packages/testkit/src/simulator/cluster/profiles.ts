// The profiles of a cluster's runs: what a run of each is like, and which rules of docs/spec/transactions.md its transactions bring
// into play. A rule matters in few histories; a profile makes some of these likely, and `pnpm mutants cluster` shows that it does.

import type { Model } from "../../checkers/index.ts";
import type { FaultKind } from "../fault.ts";
import type { ShapeName } from "./workload.ts";

export interface Profile {
  readonly about: string;
  readonly kind: "list" | "register" | "bank";
  readonly isolation: "serializable" | "repeatable-read" | "read-committed";
  /** How often each kind of fault comes, relative to the others; of these each run has a random part. */
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly targetFaults: Readonly<Record<string, number>>;
  /** The share of messages that get lost when nothing else is wrong. */
  readonly loss: readonly number[];
  /** Whether one of the nodes may lose its disk, or stay down in the end. Of three voters one may, not two. */
  readonly mayLose: boolean;
  readonly shardsMin: number;
  readonly processes: Span;
  readonly transactions: Span;
  readonly keys: Span;
  /** Writes to a list after which a fresh one takes its place. */
  readonly writesPerKey: number;
  /** Before each transaction, on average, in milliseconds; undefined: spread over the time of the faults. */
  readonly thinkMs: number | undefined;
  /** How long faults come, in milliseconds. */
  readonly faultsMs: Span;
  readonly shapes: readonly (readonly [weight: number, shape: ShapeName])[];
  readonly manner: MannerOdds;
  /** In milliseconds, the last how often floors are moved. */
  readonly retention: { readonly snapshotMs: Span; readonly outcomeMs: Span; readonly everyMs: number };
  readonly checkpointEntries: readonly number[];
  /** How likely it is that a replica starts again from its own checkpoint after an entry. */
  readonly restores: number;
  /** How long a tick of coordinators and of recovery is, in milliseconds. */
  readonly tickMs: number;
  /** After how many milliseconds a read has what is in its way aborted. */
  readonly inDoubtMs: number;
  /** Whether timestamps come to their limit in the middle of the run. */
  readonly reachesLimit: boolean;
}

/** From the first to the second, whole numbers both. */
export type Span = readonly [min: number, max: number];

/** How likely each way is of carrying out a transaction. */
export interface MannerOdds {
  /** Stops before some of its steps and before its commit, for so many milliseconds on average. */
  readonly slow: number;
  readonly pauseMs: number;
  /** A reader asks for a snapshot of any replica. */
  readonly snapshot: number;
  /** Begins with the token of its client's last transaction, or with the latest of anybody's. */
  readonly token: number;
  /** Conflicts of its writes are resolved. */
  readonly resolved: number;
  /** Its commit is sent twice under one id, the second time so many milliseconds later on average, through another node. */
  readonly twice: number;
  readonly twiceMs: number;
}

const PLAIN: MannerOdds = {
  slow: 0,
  pauseMs: 0,
  snapshot: 0.1,
  token: 0.2,
  resolved: 0,
  twice: 0.05,
  twiceMs: 30,
};

const ALL_FAULTS: Profile["faults"] = {
  network: 3,
  partition: 4,
  clog: 2,
  swizzle: 1,
  crash: 5,
  "crash-all": 1,
  pause: 3,
  "disk-slow": 1,
  "disk-stall": 2,
  "disk-error": 1,
  damage: 3,
  wipe: 1,
  clock: 2,
  target: 2,
};

/** What keeps transactions waiting between their prepares and their decision. */
const DELAYS: Profile["faults"] = {
  network: 3,
  clog: 4,
  pause: 4,
  crash: 3,
  "disk-slow": 1,
  clock: 1,
  target: 2,
};

const BROAD: Profile = {
  about: "serializable, lists are appended to",
  kind: "list",
  isolation: "serializable",
  faults: ALL_FAULTS,
  targetFaults: { transfer: 1 },
  loss: [0, 0, 0.01, 0.03],
  mayLose: true,
  shardsMin: 1,
  processes: [2, 6],
  transactions: [40, 140],
  keys: [2, 6],
  writesPerKey: 12,
  thinkMs: undefined,
  faultsMs: [3000, 7000],
  shapes: [[1, "mixed"]],
  manner: PLAIN,
  retention: { snapshotMs: [60_000, 60_000], outcomeMs: [300_000, 300_000], everyMs: 100 },
  checkpointEntries: [10, 50, 1_000],
  restores: 0.01,
  tickMs: 10,
  inDoubtMs: 1_000,
  reachesLimit: false,
};

const CONTENDED: Profile = {
  ...BROAD,
  about: "serializable, many clients at few keys, one transaction after the other",
  processes: [6, 12],
  transactions: [150, 300],
  keys: [2, 3],
  thinkMs: 2,
  faultsMs: [2000, 2000],
};

/** Many clients at few keys of several shards, and nothing but messages that overtake each other. */
const RACES: Profile = {
  ...CONTENDED,
  faults: {},
  loss: [0],
  mayLose: false,
  checkpointEntries: [50, 1_000],
  shardsMin: 2,
  faultsMs: [300, 600],
};

/** Slow clients and little retention. */
const FLOORS: Profile = {
  ...CONTENDED,
  about: "serializable, slow clients and little retention, so that snapshots grow too old (TX-3, TX-18)",
  kind: "register",
  faults: DELAYS,
  keys: [3, 6],
  shapes: [
    [2, "delete"],
    [3, "scan and write"],
    [1, "mixed"],
    [1, "look"],
    [1, "one"],
  ],
  manner: { ...PLAIN, slow: 0.5, pauseMs: 50, snapshot: 0.5, token: 0.6 },
  retention: { snapshotMs: [20, 150], outcomeMs: [300_000, 300_000], everyMs: 20 },
  restores: 0.03,
  // Replicas purge at every tick: what they still have below the floor differs.
  tickMs: 40,
};

const TABLE = {
  lists: BROAD,
  registers: { ...BROAD, about: "serializable, registers are overwritten and deleted", kind: "register" },
  bank: {
    ...BROAD,
    about: "serializable, amounts are moved between accounts, and the total is read",
    kind: "bank",
  },
  snapshot: { ...BROAD, about: "repeatable read, lists are appended to", isolation: "repeatable-read" },
  calm: { ...BROAD, about: "serializable, no faults: what only conflicts bring about", faults: {} },
  contended: CONTENDED,
  floors: FLOORS,
  aged: {
    ...FLOORS,
    about: "serializable, slow readers of snapshots that grow too old (TX-18)",
    kind: "list",
    shapes: [
      [3, "pair"],
      [3, "look"],
      [1, "one"],
      [1, "scan"],
    ],
    manner: { ...PLAIN, slow: 0.6, pauseMs: 80, snapshot: 0.7, token: 0.6 },
    retention: { snapshotMs: [20, 80], outcomeMs: [300_000, 300_000], everyMs: 20 },
  },
  members: {
    ...BROAD,
    about: "serializable, lists are appended to, while nodes join and leave and replicas move",
    faults: { ...ALL_FAULTS, target: 8 },
    targetFaults: { transfer: 1, join: 3, leave: 2 },
    mayLose: false,
  },
  skew: {
    ...RACES,
    about: "serializable, each reads what another writes, in several shards (TX-5, TX-7)",
    shardsMin: 3,
    processes: [3, 5],
    keys: [2, 3],
    kind: "register",
    shapes: [
      [9, "skew"],
      [1, "look"],
    ],
    thinkMs: 0.5,
    restores: 0.05,
  },
  ranges: {
    ...RACES,
    about: "serializable, each scans, wholly or from one end, what another writes (TX-5, TX-7, TX-18)",
    processes: [2, 4],
    // Several in one shard, so that pages end between them.
    keys: [3, 7],
    kind: "register",
    shapes: [
      [1, "scan and write"],
      [2, "page and write"],
    ],
    thinkMs: 0.5,
  },
  readers: {
    ...RACES,
    about: "writers of several shards, and readers of all kinds amid them (TX-18, TX-21)",
    shardsMin: 3,
    // Decisions that are lost leave what is committed prepared for a while.
    loss: [0.03, 0.15],
    processes: [4, 8],
    keys: [3, 6],
    writesPerKey: 4,
    shapes: [
      [3, "pair"],
      [3, "look"],
      [2, "glance"],
      [1, "one"],
      [1, "scan"],
      [1, "page and write"],
    ],
    faults: { network: 2, clog: 3, pause: 2, "disk-slow": 1 },
    manner: { ...PLAIN, slow: 0.2, pauseMs: 5, snapshot: 0.5, token: 0.5 },
  },
  clocks: {
    ...RACES,
    about: "serializable, shards whose clocks differ, and readers of single keys (TX-8, TX-11, TX-22)",
    shardsMin: 3,
    processes: [3, 5],
    keys: [2, 3],
    shapes: [
      [2, "pair"],
      [4, "glance"],
      [1, "one"],
    ],
    thinkMs: 3,
    manner: { ...PLAIN, twice: 0 },
  },
  gaps: {
    ...RACES,
    about:
      "serializable, few clients, and decisions that are long in coming where something is prepared (TX-7, TX-21)",
    loss: [0.1, 0.2],
    faults: { clog: 2, network: 1 },
    shardsMin: 3,
    processes: [2, 3],
    transactions: [100, 200],
    keys: [3, 4],
    shapes: [
      [3, "pair"],
      [4, "look"],
      [2, "weigh"],
    ],
    thinkMs: 10,
    faultsMs: [1000, 2000],
    manner: { ...PLAIN, token: 0.1, twice: 0 },
  },
  weak: {
    ...RACES,
    about: "repeatable read, writers and readers of several shards (TX-8, TX-18)",
    isolation: "repeatable-read",
    keys: [3, 6],
    writesPerKey: 4,
    shapes: [
      [3, "pair"],
      [3, "look"],
      [2, "aside"],
      [1, "scan"],
      [1, "one"],
    ],
    faults: { partition: 4, crash: 3, clog: 2, clock: 1, target: 3 },
    faultsMs: [1000, 2000],
    manner: { ...PLAIN, token: 0.5 },
  },
  committed: {
    ...RACES,
    about: "read committed, which sees what was acknowledged before it began (TX-24)",
    isolation: "read-committed",
    keys: [2, 4],
    shapes: [
      [3, "pair"],
      [3, "look"],
      [1, "aside"],
    ],
    faults: { network: 2, clog: 3, pause: 2 },
  },
  updates: {
    ...RACES,
    about: "read committed, each overwrites what it has read, and no update is lost (TX-25)",
    kind: "register",
    isolation: "read-committed",
    processes: [3, 6],
    keys: [2, 3],
    shapes: [[1, "skew"]],
  },
  doubt: {
    ...CONTENDED,
    about: "commits that are sent twice, and little patience with what is in doubt (TX-1, TX-9, TX-12)",
    faults: { ...DELAYS, crash: 6, pause: 6 },
    loss: [0.02, 0.1],
    keys: [2, 8],
    mayLose: false,
    shardsMin: 2,
    faultsMs: [1000, 2000],
    shapes: [
      [2, "mixed"],
      [2, "pair"],
      [2, "one"],
      [1, "look"],
    ],
    manner: { ...PLAIN, twice: 0.4, twiceMs: 10 },
    tickMs: 1,
    inDoubtMs: 10,
  },
  forgetful: {
    ...CONTENDED,
    about: "outcomes that are soon forgotten, and commits that come late (TX-10, TX-16, TX-17)",
    faults: { ...DELAYS, crash: 6 },
    loss: [0.02, 0.1],
    keys: [4, 10],
    mayLose: false,
    shardsMin: 2,
    faultsMs: [1000, 2000],
    shapes: [
      [2, "mixed"],
      [3, "pair"],
      [2, "one"],
      [3, "look"],
    ],
    manner: { ...PLAIN, snapshot: 0.6, twice: 0.3, twiceMs: 100 },
    retention: { snapshotMs: [60_000, 60_000], outcomeMs: [10, 200], everyMs: 20 },
    tickMs: 2,
    inDoubtMs: 50,
  },
  resolved: {
    ...RACES,
    about: "conflicts that are resolved, own writes read back, replicas that start again (TX-2, TX-6, TX-26)",
    kind: "register",
    keys: [2, 4],
    shapes: [
      [4, "read back"],
      [4, "aside pair"],
      [1, "aside"],
      [1, "insert"],
      [1, "delete"],
      [2, "one"],
    ],
    manner: { ...PLAIN, slow: 0.5, pauseMs: 4, resolved: 0.7 },
    restores: 0.1,
  },
  limit: {
    ...RACES,
    about: "serializable, timestamps come to their limit (TX-4)",
    reachesLimit: true,
    faultsMs: [1000, 2000],
    thinkMs: 20,
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof TABLE;

export const PROFILES: Readonly<Record<ProfileName, Profile>> = TABLE;

export const PROFILE_NAMES = Object.keys(TABLE) as readonly ProfileName[];

/** What the history of a profile must be. */
export function modelOf({ isolation, kind }: Profile): Model {
  switch (isolation) {
    case "serializable":
      return "strict-serializable";
    case "repeatable-read":
      return "snapshot-isolation";
    case "read-committed":
      // Appends are blind under read committed, and lose nothing; what is overwritten has not changed since it was read.
      return kind === "register" ? "cursor-stability" : "read-committed";
  }
}
