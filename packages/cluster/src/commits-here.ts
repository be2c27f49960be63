/**
 * Commits whose only participant is led by this node, without a coordinator: the shard certifies and decides in one entry, and whoever waits is told
 * what was applied (TP-8). Everything else is left to a coordinator under the same id, which is certified once (TX-1): where the shard is led
 * elsewhere, where no outcome comes, or does not come soon.
 */
import type { TransactionId } from "@khonsu/2pc";
import type { Runtime } from "@khonsu/core";
import type { CommitResult } from "./coordinator-driver.ts";
import { Deadlines } from "./deadlines.ts";
import type { ShardStatus } from "./shard/state-machine.ts";
import type { ShardTransaction } from "./shard/transaction.ts";
import type { ShardReplica } from "./shard-replica.ts";

/** The replica of a shard here, if it leads. */
export type LedHere = (shard: number) => Pick<ShardReplica, "certify"> | undefined;

export class CommitsHere {
  readonly #ledHere: LedHere;
  readonly #deadlines: Deadlines;

  /** @param patienceMs how long a commit may take before a coordinator pursues it, in milliseconds */
  constructor(ledHere: LedHere, runtime: Runtime, patienceMs: number) {
    this.#ledHere = ledHere;
    this.#deadlines = new Deadlines(runtime, patienceMs);
  }

  /** @param otherwise begins a coordinator of the same transaction */
  commit(
    id: TransactionId,
    request: ShardTransaction,
    otherwise: () => Promise<CommitResult>,
  ): Promise<CommitResult> {
    const command = { kind: "commit", id, participants: [id.home], request, votes: undefined } as const;
    const certified = this.#ledHere(id.home)?.certify(command);
    if (certified === undefined) return otherwise();
    return new Promise((resolve) => {
      let isOpen = true;
      const end = (result: CommitResult | undefined): void => {
        if (!isOpen) return;
        isOpen = false;
        this.#deadlines.cancel(deadline);
        resolve(result ?? otherwise());
      };
      const deadline = this.#deadlines.add(() => end(undefined));
      certified.then(
        (status) => end(outcomeOf(status)),
        () => end(undefined),
      );
    });
  }
}

function outcomeOf(status: ShardStatus): CommitResult | undefined {
  switch (status.kind) {
    case "committed":
    case "aborted":
    case "expired":
      return status;
    // A refusal is not recorded: home is made to decide.
    case "refused":
    case "unknown":
    case "prepared":
      return undefined;
  }
}
