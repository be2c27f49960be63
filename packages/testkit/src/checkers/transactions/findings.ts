// Collects anomalies that are visible without a cycle: a few of each kind in full, and how many there were.
import type { Key } from "../../history/operation.ts";
import type { DirectKind } from "./anomaly.ts";

export interface Finding {
  readonly kind: DirectKind;
  readonly transactions: readonly number[];
  readonly explanation: string;
  readonly key: Key;
}

export class Findings {
  readonly kept: Finding[] = [];
  private readonly counts = new Map<string, number>();
  private readonly examplesMax: number;

  constructor(examplesMax: number) {
    this.examplesMax = examplesMax;
  }

  countOf(kind: string): number {
    return this.counts.get(kind) ?? 0;
  }

  add(kind: DirectKind, transactions: readonly number[], explanation: string, key: Key): void {
    const count = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, count);
    if (count <= this.examplesMax) this.kept.push({ kind, transactions, explanation, key });
  }
}
