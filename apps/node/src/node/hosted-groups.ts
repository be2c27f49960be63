/**
 * The Paxos groups that a node takes part in: one `ReplicatedLog` a group, on the node's one acceptor log, so that one synced write
 * a turn serves them all. A group that has stopped by a fault stays listed as fenced, with its reason: its node is not ready.
 */
import type { LogApplication } from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import {
  type Envelope,
  nodeOf,
  type PaxosError,
  type ReplicaId,
  type ReplicaOptions,
  ReplicatedLog,
  type StartMode,
} from "@khonsu/paxos";
import type { LevelAcceptorLog } from "@khonsu/storage-level/acceptor-log";

export interface HostedGroupsOptions {
  readonly self: ReplicaId;
  readonly runtime: Runtime;
  /** Of all groups alike. */
  readonly limits: Partial<ReplicaOptions>;
  readonly tickMs: number;
  /** Sends, or drops. */
  readonly send: (group: number, envelope: Envelope) => void;
  /** Whether there is a link to the node: leadership is handed to nobody else. */
  readonly isReachable: (node: number) => boolean;
  /** A group has stopped for good: tell people. */
  readonly onFenced: (group: number, error: PaxosError) => void;
}

interface HostedGroup {
  readonly log: ReplicatedLog;
  readonly close: () => Promise<void>;
}

export class HostedGroups {
  readonly #options: HostedGroupsOptions;
  readonly #groups = new Map<number, HostedGroup>();
  readonly #fenced = new Map<number, PaxosError>();

  constructor(options: HostedGroupsOptions) {
    this.#options = options;
  }

  /** Opens the replica of `group` from `disk`, one for all groups; `start` says what it is if the disk is empty. */
  async open(
    disk: LevelAcceptorLog,
    group: number,
    start: StartMode,
    application: LogApplication,
  ): Promise<ReplicatedLog> {
    const { self, runtime, limits, tickMs, send, onFenced } = this.#options;
    const storage = disk.group(nameOf(group));
    const log = await ReplicatedLog.open({
      replica: { ...limits, self, start, seed: Math.floor(runtime.random() * 2 ** 31) },
      storage,
      transport: { send: (envelope) => send(group, envelope) },
      clock: { now: () => runtime.now(), after: (ms, callback) => runtime.schedule(ms, callback) },
      stateMachine: application,
      tickMilliseconds: tickMs,
      random: () => runtime.random(),
      onFenced: (error) => {
        this.#fenced.set(group, error);
        onFenced(group, error);
      },
    });
    const close = async (): Promise<void> => {
      await log.close();
      await storage.close();
    };
    this.#groups.set(group, { log, close });
    return log;
  }

  /** Hands in what came from another node; dropped if the group is not here. */
  receive(group: number, envelope: Envelope): void {
    this.#groups.get(group)?.log.receive(envelope);
  }

  get(group: number): ReplicatedLog | undefined {
    return this.#groups.get(group)?.log;
  }

  /** Why a group has stopped, by group. */
  get fenced(): ReadonlyMap<number, PaxosError> {
    return this.#fenced;
  }

  /** The groups that this node leads. */
  led(): number[] {
    return [...this.#groups].filter(([, { log }]) => log.status().isLeader).map(([group]) => group);
  }

  /** Whether anybody else could lead `group` now. */
  hasSuccessor(group: number): boolean {
    return this.#successors(group).length > 0;
  }

  /**
   * Hands the leadership of `group` to the voter that is furthest, or to the next if it refuses. @returns whether another leads now.
   */
  async handOver(group: number): Promise<boolean> {
    const log = this.get(group);
    if (log === undefined) return true;
    for (const candidate of this.#successors(group)) {
      if (!log.status().isLeader) return true;
      try {
        await log.transferLeadership(candidate);
        return true;
      } catch {
        // The next may do better.
      }
    }
    return !log.status().isLeader;
  }

  /** The other voters that can be reached, the one that has the most first. */
  #successors(group: number): ReplicaId[] {
    const log = this.get(group);
    if (log === undefined) return [];
    const { configuration, matched, replica } = log.describe();
    const through = new Map(matched.map((one) => [one.replica, one.through]));
    return (configuration?.voters ?? [])
      .filter((voter) => nodeOf(voter) !== nodeOf(replica) && this.#options.isReachable(nodeOf(voter)))
      .sort((a, b) => (through.get(b) ?? 0) - (through.get(a) ?? 0));
  }

  /** Closes one group, whose log stays on disk. */
  async close(group: number): Promise<void> {
    const hosted = this.#groups.get(group);
    this.#groups.delete(group);
    await hosted?.close();
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#groups.keys()].map((group) => this.close(group)));
  }
}

/** The name of a group's log on disk. */
function nameOf(group: number): string {
  return `group ${group}`;
}
