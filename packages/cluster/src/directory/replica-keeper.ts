/**
 * Opens and closes the replicas of a node, as the directory says and the node's record remembers.
 *
 * PL-9: a replica is recorded before it is opened, and is opened with an empty disk once in its life; afterwards its data must be
 * there, or it is given up. PL-10: the data of a replica is deleted only when a state of the directory that knows its incarnation no
 * longer lists it, which is after its group has removed it.
 */
import type { Runtime } from "@khonsu/core";
import type { ClusterNode } from "../cluster-node.ts";
import type { OpenConsensus, ReplicaStart, StartMode } from "../consensus.ts";
import { jittered, pause } from "../pause.ts";
import type { Directory } from "./directory.ts";
import { DirectoryLog } from "./directory-log.ts";
import { FIRST_INCARNATION } from "./found.ts";
import type { NodeRecordKeeper, OpenedReplica } from "./node-record.ts";
import { DIRECTORY_GROUP, type DirectoryState, type ReplicaIdentity, replicasIn } from "./state.ts";

export interface ReplicaKeeperOptions {
  readonly self: number;
  readonly node: ClusterNode;
  readonly directory: Directory;
  readonly record: NodeRecordKeeper;
  readonly runtime: Runtime;
  /** As the node's: for the replica of the directory's log. */
  readonly openConsensus: OpenConsensus;
  /** Closes the replica of a group on this node, if it is open, and deletes its data. Resolves once that is durable. */
  readonly dropConsensus: (group: number) => Promise<void>;
  /** A replica could not be opened or deleted; it will be tried again. */
  readonly onProblem: (group: number, error: unknown) => void;
}

/** Codes of a log that cannot be opened because its data is gone or damaged: the replica is to be replaced. */
const LOST = new Set(["KHONSU_IDENTITY_MISMATCH", "KHONSU_STORAGE_CORRUPT"]);
const AGAIN_MS = 1000;

export class ReplicaKeeper {
  readonly #options: ReplicaKeeperOptions;
  /** The incarnation of the replica that is open, by group. */
  readonly #open = new Map<number, number>();
  #log: DirectoryLog | undefined = undefined;
  #working: Promise<void> | undefined = undefined;
  #isStale = false;
  #isClosed = false;

  constructor(options: ReplicaKeeperOptions) {
    this.#options = options;
  }

  /** Opens what the record remembers, and follows the directory from then on. Resolves once what is known is open. */
  async start(): Promise<void> {
    this.#options.directory.listen(() => void this.#reconcile());
    await this.#reconcile();
    this.#scheduleAgain();
  }

  /** Opens and closes nothing any more. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#working;
  }

  /** One pass at a time; what becomes known meanwhile is another. */
  #reconcile(): Promise<void> {
    this.#isStale = true;
    this.#working ??= this.#run().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #run(): Promise<void> {
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      try {
        await this.#follow(this.#options.directory.state);
        await this.#openAll();
      } catch (error) {
        // The record could not be saved, or data not be deleted: tried again after a while.
        this.#options.onProblem(DIRECTORY_GROUP, error);
      }
    }
  }

  /** What failed, or has to wait for the directory, is tried again after a while. */
  #scheduleAgain(): void {
    const { runtime } = this.#options;
    runtime.schedule(jittered(runtime, AGAIN_MS), () => {
      if (this.#isClosed) return;
      void this.#reconcile();
      this.#scheduleAgain();
    });
  }

  /** Brings the record in line with the directory: forgets what is gone, remembers what is to come. */
  async #follow(state: DirectoryState | undefined): Promise<void> {
    const { record } = this.#options;
    if (state === undefined || state.version <= record.current.version) return;
    const listed = this.#listed(state);
    const isListed = ({ group, incarnation }: OpenedReplica) => listed.get(group) === incarnation;
    const isGone = (replica: OpenedReplica) =>
      !isListed(replica) && replica.incarnation <= state.lastIncarnation;
    for (const { group } of record.current.replicas.filter(isGone)) await this.#drop(group);
    const kept = record.current.replicas.filter((replica) => !isGone(replica));
    // The replicas of the founding are in the record from the beginning, or this node is not the founder that they are for.
    const added = [...listed]
      .filter(([group]) => !kept.some((replica) => replica.group === group))
      .filter(([, incarnation]) => incarnation > FIRST_INCARNATION)
      .map(
        ([group, incarnation]): OpenedReplica => ({ group, incarnation, isFounder: false, isOpened: false }),
      );
    if (added.length === 0 && kept.length === record.current.replicas.length) return;
    await record.change((current) => ({ ...current, replicas: [...kept, ...added], version: state.version }));
  }

  /** The incarnations of this node's replicas by group, but for those that a former life of its disk had. */
  #listed(state: DirectoryState): Map<number, number> {
    const { self, record } = this.#options;
    const first = record.current.cluster?.incarnation ?? Number.POSITIVE_INFINITY;
    const listed = new Map<number, number>();
    for (const group of state.groups.values()) {
      for (const { node, incarnation } of replicasIn(group)) {
        if (node === self && incarnation >= first)
          listed.set(group.group, Math.max(incarnation, listed.get(group.group) ?? 0));
      }
    }
    return listed;
  }

  async #drop(group: number): Promise<void> {
    const { node, directory, dropConsensus } = this.#options;
    if (group === DIRECTORY_GROUP) directory.host(undefined);
    else node.closeReplica(group);
    this.#open.delete(group);
    await dropConsensus(group);
  }

  async #openAll(): Promise<void> {
    const { record } = this.#options;
    const closed = record.current.replicas.filter(({ group }) => !this.#open.has(group));
    await Promise.all(closed.map((replica) => this.#openOne(replica)));
    if (this.#isClosed) return;
    const isNew = ({ group, isOpened }: OpenedReplica) => !isOpened && this.#open.has(group);
    if (!record.current.replicas.some(isNew)) return;
    const mark = (replica: OpenedReplica) => (isNew(replica) ? { ...replica, isOpened: true } : replica);
    await record.change((current) => ({ ...current, replicas: current.replicas.map(mark) }));
  }

  async #openOne(replica: OpenedReplica): Promise<void> {
    const { self, node, onProblem } = this.#options;
    const { group, incarnation } = replica;
    const how: ReplicaStart = { self: { node: self, incarnation }, start: this.#startOf(replica) };
    try {
      if (group === DIRECTORY_GROUP) await this.#openDirectory(how);
      else await node.openReplica(group, how);
      this.#open.set(group, incarnation);
    } catch (error) {
      onProblem(group, error);
      if (LOST.has((error as { code?: string } | null)?.code ?? "")) this.#giveUp(group, how.self);
    }
  }

  #startOf({ group, isFounder, isOpened }: OpenedReplica): StartMode {
    if (isOpened) return { kind: "restart" };
    const voters = this.#options.record.current.founding?.groups.get(group)?.replicas;
    return isFounder && voters !== undefined ? { kind: "found", voters } : { kind: "join" };
  }

  async #openDirectory(how: ReplicaStart): Promise<void> {
    const { directory, openConsensus } = this.#options;
    const log = new DirectoryLog((state) => directory.learn(state));
    const consensus = await openConsensus(DIRECTORY_GROUP, log, how);
    this.#log = log;
    directory.host(consensus);
    const { founding } = this.#options.record.current;
    if (founding !== undefined) void this.#found(founding, log);
  }

  /** The first entry of the directory's log. Every founder proposes it; the first that comes counts. */
  async #found(state: DirectoryState, log: DirectoryLog): Promise<void> {
    const { directory, runtime } = this.#options;
    while (log === this.#log && log.state === undefined && !this.#isClosed) {
      await directory.propose({ kind: "found", state }).catch(() => {});
      if (log.state === undefined) await pause(runtime, jittered(runtime, AGAIN_MS));
    }
  }

  /** Has a replica whose data is gone removed from its group; another takes its place. */
  #giveUp(group: number, self: ReplicaIdentity): void {
    const { directory } = this.#options;
    directory.propose({ kind: "beginMove", group, add: undefined, remove: self }).catch(() => {});
  }
}
