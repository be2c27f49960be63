/**
 * The chain checksum over all decided entries, compared wherever two copies of a history meet (PX-13): with what a peer says it has at
 * a slot, and after a restart with what this disk says it had.
 */
import type { Context } from "./context.ts";
import { PaxosError } from "./errors.ts";
import type { Learner } from "./learner.ts";
import { formatReplica, type ReplicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot } from "./slot.ts";

export class ChainCheck {
  private readonly context: Context;
  private readonly learner: Learner;
  /** What the disk says the chain checksum is at some slot, until that slot is applied. */
  private expected: { readonly slot: Slot; readonly chain: number } | undefined;

  /** @param chain 0 if the disk does not know the one at `decided`. */
  constructor(context: Context, learner: Learner, decided: Slot, chain: number) {
    this.context = context;
    this.learner = learner;
    this.expected = chain === 0 ? undefined : { slot: decided, chain };
  }

  /**
   * Two members that know the chain checksum at one slot must agree on it.
   * @throws PaxosError `KHONSU_LOG_DIVERGED`
   */
  compare(from: ReplicaId, decided: Slot, chain: number): void {
    const isKnown = chain !== 0 && decided !== NO_SLOT && decided <= this.learner.applied;
    const here = isKnown ? this.context.log.chainAt(decided) : undefined;
    if (here === undefined || here === chain) return;
    throw new PaxosError(
      "KHONSU_LOG_DIVERGED",
      `PX-13: the decided log up to slot ${decided} has chain checksum ${here} here and ${chain} at ${formatReplica(from)}`,
    );
  }

  /**
   * What is read back and applied again has the chain checksum that it had.
   * @throws PaxosError `KHONSU_STORAGE_CORRUPT`
   */
  checkReplayed(): void {
    const { expected } = this;
    if (expected === undefined || this.learner.applied < expected.slot) return;
    this.expected = undefined;
    const here = this.context.log.chainAt(expected.slot);
    if (here === undefined || here === expected.chain) return;
    throw new PaxosError(
      "KHONSU_STORAGE_CORRUPT",
      `PX-13: the log up to slot ${expected.slot} is not what was decided`,
    );
  }
}
