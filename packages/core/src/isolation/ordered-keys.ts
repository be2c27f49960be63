/**
 * The keys of a store in order, for scans: a sorted sequence cut into blocks (a B-tree of two levels). Finding costs two
 * binary searches, inserting moves at most one block. Point reads never come here.
 */
import type { VersionChain } from "./version-chain.ts";

const BLOCK_MAX = 512;

type Block<V> = VersionChain<V>[];

export class OrderedKeys<V> {
  /** Invariant: no block is empty, except that a single one may be; keys rise within and over blocks. */
  readonly #blocks: Block<V>[] = [[]];
  /** Counts insertions and removals, so that a cursor notices that its position is stale. */
  #changes = 0;

  insert(chain: VersionChain<V>): void {
    this.#changes++;
    const at = this.#blockFor(chain.key);
    const block = this.#blocks[at]!;
    const last = block[block.length - 1];
    if (last === undefined || last.key < chain.key) block.push(chain);
    else block.splice(lowerBound(block, chain.key), 0, chain);
    if (block.length > BLOCK_MAX) this.#split(at);
  }

  remove(key: string): void {
    const at = this.#blockFor(key);
    const block = this.#blocks[at]!;
    const index = lowerBound(block, key);
    if (block[index]?.key !== key) throw new Error(`Invariant: removed key is in the index: ${key}`);
    this.#changes++;
    block.splice(index, 1);
    if (block.length === 0 && this.#blocks.length > 1) this.#blocks.splice(at, 1);
  }

  /** A cursor over the chains with keys at or above `from`, rising. Stays right when keys come and go meanwhile. */
  ascend(from: string): KeyCursor<V> {
    let block = 0;
    let index = 0;
    let seen = -1;
    let bound = from;
    let inclusive = true;
    const next = (): VersionChain<V> | undefined => {
      if (seen !== this.#changes) {
        block = this.#blockFor(bound);
        index = lowerBound(this.#blocks[block]!, bound);
        if (!inclusive && this.#blocks[block]![index]?.key === bound) index++;
        seen = this.#changes;
      }
      while (block < this.#blocks.length && index >= this.#blocks[block]!.length) {
        block++;
        index = 0;
      }
      const chain = this.#blocks[block]?.[index];
      if (chain === undefined) return undefined;
      index++;
      bound = chain.key;
      inclusive = false;
      return chain;
    };
    return { next };
  }

  /** A cursor over the chains with keys below `from` (all, where it is undefined), falling. */
  descend(from: string | undefined): KeyCursor<V> {
    let block = 0;
    let index = -1;
    let seen = -1;
    let bound = from;
    const next = (): VersionChain<V> | undefined => {
      if (seen !== this.#changes) {
        block = bound === undefined ? this.#blocks.length - 1 : this.#blockFor(bound);
        index =
          bound === undefined ? this.#blocks[block]!.length - 1 : lowerBound(this.#blocks[block]!, bound) - 1;
        seen = this.#changes;
      }
      while (index < 0 && block > 0) {
        block--;
        index = this.#blocks[block]!.length - 1;
      }
      const chain = this.#blocks[block]?.[index];
      if (chain === undefined) return undefined;
      index--;
      bound = chain.key;
      return chain;
    };
    return { next };
  }

  /** The block that holds `key`, or would. */
  #blockFor(key: string): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#blocks[middle]![0]!.key <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #split(at: number): void {
    const block = this.#blocks[at]!;
    // Keys that arrive in order leave full blocks behind; others halves.
    const keep = at === this.#blocks.length - 1 ? BLOCK_MAX : BLOCK_MAX / 2;
    this.#blocks.splice(at + 1, 0, block.splice(keep));
  }
}

export interface KeyCursor<V> {
  next(): VersionChain<V> | undefined;
}

/** The index of the first chain with a key at or above `key`. */
function lowerBound<V>(block: Block<V>, key: string): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (block[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
