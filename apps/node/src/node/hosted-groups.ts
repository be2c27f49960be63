/**
 * The Paxos groups that a node takes part in: one `ReplicatedLog` a group, on the node's one acceptor log, so that one synced write
 * a turn serves them all. A group that has stopped by a fault stays listed as fenced, with its reason: its node is not ready.
 */
import type { LogApplication, ReplicaStart } from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import {
  type Envelope,
  foundingConfiguration,
  type PaxosError,
  type ReplicaOptions,
  ReplicatedLog,
  replicaId,
} from "@khonsu/paxos";
import type { LevelAcceptorLog } from "@khonsu/storage-level/acceptor-log";
import { SharedTimers } from "./shared-timers.ts";

export interface HostedGroupsOptions {
  readonly runtime: Runtime;
  /** Of all groups alike. */
  readonly limits: Partial<ReplicaOptions>;
  readonly tickMs: number;
  /** Sends, or drops. */
  readonly send: (group: number, envelope: Envelope) => void;
  /** A group has stopped for good: tell people. */
  readonly onFenced: (group: number, error: PaxosError) => void;
}

interface HostedGroup {
  readonly log: ReplicatedLog;
  readonly close: () => Promise<void>;
}

export class HostedGroups {
  readonly #options: HostedGroupsOptions;
  readonly #timers: SharedTimers;
  readonly #groups = new Map<number, HostedGroup>();
  readonly #fenced = new Map<number, PaxosError>();

  constructor(options: HostedGroupsOptions) {
    this.#options = options;
    this.#timers = new SharedTimers(options.runtime);
  }

  /** Opens a replica of `group` from `disk`, which holds those of all groups. */
  async open(
    disk: LevelAcceptorLog,
    group: number,
    application: LogApplication,
    { self, start }: ReplicaStart,
  ): Promise<ReplicatedLog> {
    const { runtime, limits, tickMs, send } = this.#options;
    const storage = disk.group(nameOf(group));
    try {
      const log = await ReplicatedLog.open({
        replica: {
          ...limits,
          self: replicaId(self.node, self.incarnation),
          start:
            start.kind === "found"
              ? { kind: "found", configuration: foundingConfiguration(start.voters) }
              : start,
          seed: Math.floor(runtime.random() * 2 ** 31),
        },
        storage,
        transport: { send: (envelope) => send(group, envelope) },
        clock: { now: () => runtime.now(), after: (ms, callback) => this.#timers.after(ms, callback) },
        stateMachine: application,
        tickMilliseconds: tickMs,
        random: () => runtime.random(),
        onFenced: (error) => this.#onFenced(group, error),
      });
      const close = (): Promise<void> => log.close().finally(() => storage.close());
      this.#groups.set(group, { log, close });
      return log;
    } catch (error) {
      await storage.close();
      throw error;
    }
  }

  /** Hands in what came from another node; dropped if the group is not here. */
  receive(group: number, envelope: Envelope): void {
    this.#groups.get(group)?.log.receive(envelope);
  }

  get(group: number): ReplicatedLog | undefined {
    return this.#groups.get(group)?.log;
  }

  /** Why a group has stopped by a fault, by group. */
  get fenced(): ReadonlyMap<number, PaxosError> {
    return this.#fenced;
  }

  /** The groups that this node leads. */
  led(): number[] {
    return [...this.#groups].filter(([, { log }]) => log.status().isLeader).map(([group]) => group);
  }

  /** Closes the replica of `group`, if it is open, and deletes what `disk` has of it: it was removed from its group for good. */
  async drop(disk: LevelAcceptorLog, group: number): Promise<void> {
    await this.#close(group);
    this.#fenced.delete(group);
    await disk.remove(nameOf(group));
  }

  /** Closes all of them; their logs stay on disk. */
  async close(): Promise<void> {
    await Promise.all([...this.#groups.keys()].map((group) => this.#close(group)));
  }

  async #close(group: number): Promise<void> {
    const hosted = this.#groups.get(group);
    this.#groups.delete(group);
    await hosted?.close();
  }

  #onFenced(group: number, error: PaxosError): void {
    // Removed by its group, as the directory wants it: it is deleted in a moment.
    if (error.code !== "KHONSU_REPLICA_RETIRED") this.#fenced.set(group, error);
    this.#options.onFenced(group, error);
  }
}

/** The name of a group's log on disk. */
function nameOf(group: number): string {
  return `group ${group}`;
}
