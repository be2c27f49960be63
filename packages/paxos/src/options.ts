/** The options of a replica, each with its unit, default and range. All replicas of a group should use the same. */
import type { Configuration } from "./configuration.ts";
import { PaxosError } from "./errors.ts";
import type { ReplicaId } from "./replica-id.ts";

/** How a replica begins. The disk has the last word: anything but an empty one is a restart, and then this is ignored. */
export type StartMode =
  /** A founding member on an empty disk. Every founder is given the same configuration, and gives it once in its life. */
  | { readonly kind: "found"; readonly configuration: Configuration }
  /** An empty disk in a group that exists. It takes no part until an `add` names it; it must never have voted as `self`. */
  | { readonly kind: "join" }
  /** The disk must not be empty. */
  | { readonly kind: "restart" };

export interface LeaseOptions {
  /** How long an acceptor that confirms a leader refuses any other, in ticks; from 1. 0 turns leases off. Default 0. */
  readonly leaseTicks: number;
  /**
   * The most by which one replica's ticks may run faster than another's, as a fraction: 0.1 says that while one counts 10,
   * no other counts more than 11. Includes pauses: a driver feeds the ticks it missed before any other input. Default 0.1.
   */
  readonly clockDriftMax: number;
}

export interface ReplicaLimits {
  /** Ticks without a healthy leader before a replica looks for another. From 4. Default 10. */
  readonly electionTimeoutTicks: number;
  /** Ticks between repeats of an unanswered message. From 1. Default 3. */
  readonly retryTicks: number;
  /** Ticks after which a forwarded proposal that is not decided is given up as `KHONSU_OUTCOME_UNKNOWN`. Default 100. */
  readonly proposalTimeoutTicks: number;
  /** Entries in one accept message. From 1. Default 512. */
  readonly batchEntriesMax: number;
  /** Bytes of commands in one message; also the size limit of a command. Default 1 MiB. */
  readonly batchBytesMax: number;
  /** Entries accepted but not decided, at the leader. Default 8192. */
  readonly inFlightEntriesMax: number;
  /** Bytes of commands accepted but not decided, at the leader. Default 16 MiB. */
  readonly inFlightBytesMax: number;
  /** Proposals that wait for a place in flight. Default 8192. */
  readonly queueEntriesMax: number;
  /** Bytes of the proposals that wait. Default 16 MiB. */
  readonly queueBytesMax: number;
  /** Proposals forwarded by this replica and not decided yet. Default 4096. */
  readonly forwardedMax: number;
  /** Whether a follower forwards proposals to the leader; otherwise it refuses them. Default true. */
  readonly forward: boolean;
  /** Reads that wait. Default 8192. */
  readonly readsMax: number;
  /** How far the sequence of a client's newest proposal may be above that of its oldest unanswered one. From 1. Default 256. */
  readonly sessionWindow: number;
  /** Clients remembered for applying once; the one that was silent longest, in slots, is forgotten first. Default 1024. */
  readonly sessionsMax: number;
  /**
   * Decided entries after which the state machine is asked for a checkpoint; from 512 on it is asked earlier where the log since the
   * last has become three times as large as the image. Default 65 536.
   */
  readonly checkpointEntries: number;
  /** Bytes of decided commands after which it is asked for one. Default 64 MiB. */
  readonly checkpointBytes: number;
  /**
   * Entries kept at most below a checkpoint for replicas that lag a little: the last 1024, and more as far as they have no more bytes
   * than the image, which serves a replica that lags further. Default 8192.
   */
  readonly retainEntries: number;
  /** Bytes of one piece of an image. From 1. Default 256 KiB. */
  readonly chunkBytes: number;
  /** How far behind the leader's decided index a learner may be to be promoted, in slots. Default 256. */
  readonly promotionLagMax: number;
}

export interface ReplicaOptions extends Partial<ReplicaLimits> {
  readonly self: ReplicaId;
  readonly start: StartMode;
  /** Seeds the jitter of elections. Any integer; different for each replica. */
  readonly seed: number;
  /** A replica of higher priority wins an election over one of lower. From 0. Default 0. */
  readonly priority?: number;
  readonly lease?: Partial<LeaseOptions>;
}

export interface ResolvedOptions extends ReplicaLimits {
  readonly self: ReplicaId;
  readonly start: StartMode;
  readonly seed: number;
  readonly priority: number;
  readonly lease: LeaseOptions;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_LIMITS: ReplicaLimits = Object.freeze({
  electionTimeoutTicks: 10,
  retryTicks: 3,
  proposalTimeoutTicks: 100,
  batchEntriesMax: 512,
  batchBytesMax: MIB,
  inFlightEntriesMax: 8192,
  inFlightBytesMax: 16 * MIB,
  queueEntriesMax: 8192,
  queueBytesMax: 16 * MIB,
  forwardedMax: 4096,
  forward: true,
  readsMax: 8192,
  sessionWindow: 256,
  sessionsMax: 1024,
  checkpointEntries: 65_536,
  checkpointBytes: 64 * MIB,
  retainEntries: 8192,
  chunkBytes: 256 * KIB,
  promotionLagMax: 256,
});

const MINIMUM: Partial<Record<keyof ReplicaLimits, number>> = {
  electionTimeoutTicks: 4,
  retainEntries: 0,
  promotionLagMax: 0,
};

/** @throws PaxosError `KHONSU_INVALID_OPTION` that names the option, its value and its range. */
export function resolveOptions(options: ReplicaOptions): ResolvedOptions {
  const { lease, priority = 0, ...rest } = options;
  const resolved = {
    ...DEFAULT_LIMITS,
    ...rest,
    priority,
    lease: { leaseTicks: 0, clockDriftMax: 0.1, ...lease },
  };
  for (const name of Object.keys(DEFAULT_LIMITS) as (keyof ReplicaLimits)[]) {
    if (name !== "forward") requireInteger(name, resolved[name], MINIMUM[name] ?? 1);
  }
  requireInteger("priority", resolved.priority, 0);
  requireInteger("seed", resolved.seed, Number.MIN_SAFE_INTEGER);
  requireInteger("lease.leaseTicks", resolved.lease.leaseTicks, 0);
  if (!(resolved.lease.clockDriftMax >= 0)) {
    throw new PaxosError(
      "KHONSU_INVALID_OPTION",
      `Cannot use lease.clockDriftMax ${resolved.lease.clockDriftMax}: it must be at least 0`,
    );
  }
  return resolved;
}

function requireInteger(name: string, value: number, minimum: number): void {
  if (Number.isSafeInteger(value) && value >= minimum) return;
  throw new PaxosError(
    "KHONSU_INVALID_OPTION",
    `Cannot use ${name} ${value}: it must be an integer of at least ${minimum}`,
  );
}
