/**
 * What participants have applied, on its way into the log of a home: many transactions in one entry, since nobody waits for it. What is
 * lost on the way is found by the recovery of home, which asks again (TX-17).
 */
import type { TransactionId } from "@khonsu/2pc";
import type { Runtime } from "@khonsu/core";
import { encodeCommand } from "./codec/command-codec.ts";
import type { Consensus } from "./consensus.ts";

/** How long acknowledgements are collected, in milliseconds: short beside the patience of recovery. */
const COLLECT_MS = 200;
/** An entry has at most so many. */
const ITEMS_MAX = 1000;

interface Acknowledgement {
  readonly id: TransactionId;
  readonly participants: readonly number[];
}

export class Acknowledgements {
  readonly #consensus: Consensus;
  readonly #runtime: Runtime;
  #items: Acknowledgement[] = [];

  constructor({ consensus, runtime }: { readonly consensus: Consensus; readonly runtime: Runtime }) {
    this.#consensus = consensus;
    this.#runtime = runtime;
  }

  note({ id, participants }: Acknowledgement): void {
    this.#items.push({ id, participants });
    if (this.#items.length === 1) this.#runtime.schedule(COLLECT_MS, () => this.#flush());
    else if (this.#items.length >= ITEMS_MAX) this.#flush();
  }

  #flush(): void {
    if (this.#items.length === 0) return;
    const items = this.#items;
    this.#items = [];
    this.#consensus.propose(encodeCommand({ kind: "acknowledgements", items })).catch(() => {});
  }
}
