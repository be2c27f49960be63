/**
 * The directory on a node: the newest state that the node has heard of, and changes of it. Nodes whose log it is hear of it by
 * applying; all ask one another now and then, so that also those hear of it that have no replica, or that lost theirs by the
 * very change. A state is never replaced by an older one (PL-4).
 */
import type { Runtime } from "@khonsu/core";
import type { Consensus } from "../consensus.ts";
import { ClusterError } from "../errors.ts";
import { jittered, pause } from "../pause.ts";
import { encodeDirectoryCommand } from "./codec.ts";
import type { DirectoryCommand, DirectoryOutcome, DirectoryRefusal } from "./command.ts";
import type { Question, Reply } from "./question.ts";
import { DIRECTORY_GROUP, type DirectoryState } from "./state.ts";

/** Asks another node. Rejects when it cannot be reached, or not in time. */
export type AskNode = (node: number, question: Question) => Promise<Reply>;

export interface DirectoryOptions {
  readonly self: number;
  readonly runtime: Runtime;
  readonly ask: AskNode;
  /** How often another node is asked for news, in milliseconds. Default 200. */
  readonly pollMs?: number | undefined;
  /** How long a change is tried, in milliseconds. Default 10,000. */
  readonly changeMs?: number | undefined;
}

export class Directory {
  readonly #options: DirectoryOptions;
  readonly #listeners = new Set<(state: DirectoryState) => void>();
  #state: DirectoryState | undefined = undefined;
  #consensus: Consensus | undefined = undefined;
  #isClosed = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#schedulePoll();
  }

  /** The newest state that this node has heard of; undefined before the first. */
  get state(): DirectoryState | undefined {
    return this.#state;
  }

  /** Whether the replica of the directory's log on this node leads. */
  get isLeader(): boolean {
    return this.#consensus?.status().isLeader ?? false;
  }

  /** The replica of the directory's log on this node, if it has one. */
  get consensus(): Consensus | undefined {
    return this.#consensus;
  }

  /** Calls `listener` with each newer state; the function returned takes it back. */
  listen(listener: (state: DirectoryState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes notice of a state, wherever it comes from. */
  learn(state: DirectoryState): void {
    const before = this.#state;
    if (before !== undefined && before.clusterId !== state.clusterId) return;
    if (before !== undefined && state.version <= before.version) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }

  /** This node has a replica of the directory's log, or, with undefined, no more. */
  host(consensus: Consensus | undefined): void {
    this.#consensus = consensus;
  }

  /**
   * Has a change decided, by whichever nodes keep the directory. All changes are safe to ask for again.
   * @throws ClusterError with the code of the refusal; `KHONSU_UNAVAILABLE` if nobody could tell in time: it may still come.
   */
  async change(command: DirectoryCommand): Promise<void> {
    const { runtime, changeMs = 10_000 } = this.#options;
    const deadline = runtime.now() + changeMs;
    let last: unknown;
    do {
      try {
        const outcome = await this.propose(command);
        if (outcome?.kind === "done") return;
        if (outcome?.kind === "refused") throw toError(outcome.refusal);
        // Decided, and this replica was not told what came of it: doing it again changes nothing.
      } catch (error) {
        if (error instanceof ClusterError && error.code !== "KHONSU_UNAVAILABLE") throw error;
        last = error;
      }
      await pause(runtime, jittered(runtime, 100));
    } while (runtime.now() < deadline && !this.#isClosed);
    throw unavailable(last);
  }

  /** One try, through the log here, or else through one node after another that keeps it. Undefined: decided, outcome unknown. */
  async propose(command: DirectoryCommand): Promise<DirectoryOutcome | undefined> {
    if (this.#consensus !== undefined) {
      try {
        return await this.proposeHere(command);
      } catch {
        // A replica that was removed, or reaches nobody: another may do better.
      }
    }
    let last: unknown;
    for (const node of this.keepers()) {
      if (node === this.#options.self) continue;
      try {
        const reply = await this.#options.ask(node, { kind: "change", command });
        if (reply.kind === "outcome") return reply.outcome;
        last = reply.kind === "refused" ? new Error(reply.refusal.message) : undefined;
      } catch (error) {
        last = error;
      }
    }
    throw unavailable(last);
  }

  /**
   * One try through the log here, for another node that asks: who is asked asks nobody in turn, or nodes whose logs all fail would
   * ask one another for ever, with more questions each time.
   */
  async proposeHere(command: DirectoryCommand): Promise<DirectoryOutcome | undefined> {
    if (this.#consensus === undefined) throw unavailable(new Error("its log is not here"));
    return (await this.#consensus.propose(encodeDirectoryCommand(command))) as DirectoryOutcome | undefined;
  }

  /** The nodes that keep the directory, as far as is known. */
  keepers(): readonly number[] {
    return this.#state?.groups.get(DIRECTORY_GROUP)?.replicas.map(({ node }) => node) ?? [];
  }

  /** Stops asking. */
  close(): void {
    this.#isClosed = true;
  }

  #schedulePoll(): void {
    const { runtime, pollMs = 200 } = this.#options;
    runtime.schedule(jittered(runtime, 2 * pollMs), () => {
      if (this.#isClosed) return;
      this.#poll().finally(() => this.#schedulePoll());
    });
  }

  /** Asks one node, those that keep the directory as often as all others together. */
  async #poll(): Promise<void> {
    const { runtime, self, ask } = this.#options;
    const state = this.#state;
    if (state === undefined) return;
    const all = [...state.members.values()]
      .filter((member) => member.state !== "gone")
      .map(({ node }) => node);
    const candidates = (runtime.random() < 0.5 ? this.keepers() : all).filter((node) => node !== self);
    const node = candidates[Math.floor(runtime.random() * candidates.length)];
    if (node === undefined) return;
    try {
      const reply = await ask(node, { kind: "fetch", after: state.version });
      if (reply.kind === "state") this.learn(reply.state);
    } catch {
      // Another one, next time.
    }
  }
}

export function toError({ code, message, retryable }: DirectoryRefusal): ClusterError {
  return new ClusterError(code, message, { retryable });
}

function unavailable(cause: unknown): ClusterError {
  const why = cause instanceof Error ? `: ${cause.message}` : "";
  return new ClusterError("KHONSU_UNAVAILABLE", `The directory of the cluster cannot be reached${why}`, {
    retryable: true,
    cause,
  });
}
