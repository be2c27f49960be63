// The configurations that a search has been in: which calls were linearized, and the state that this led to.
//
// Lowe's improvement of Wing & Gong (Testing for linearizability, 2017): reaching a configuration a second time cannot
// help, so each is explored once. Calls are numbered by invocation, so the linearized ones are a solid run and then a
// few more; only the words of the bit set between the run and the last one are kept, which makes long histories fit.
// Configurations are compared exactly: a hash alone could declare a linearizable history refuted.

/** The calls linearized so far. */
export class LinearizedSet {
  readonly words: Int32Array;
  /** Every word below is full. */
  firstOpenWord = 0;
  /** Every word from here on is empty. */
  endWord = 0;

  constructor(calls: number) {
    this.words = new Int32Array((calls >>> 5) + 1);
  }

  add(call: number): void {
    const word = call >>> 5;
    this.words[word] = this.words[word]! | (1 << (call & 31));
    while (this.words[this.firstOpenWord] === -1) this.firstOpenWord++;
    this.endWord = Math.max(this.endWord, word + 1);
  }

  remove(call: number): void {
    const word = call >>> 5;
    this.words[word] = this.words[word]! & ~(1 << (call & 31));
    this.firstOpenWord = Math.min(this.firstOpenWord, word);
    while (this.endWord > 0 && this.words[this.endWord - 1] === 0) this.endWord--;
  }
}

const EMPTY = -1;

export class ConfigurationSet {
  size = 0;
  /** Open addressing: offsets into `pool`, or EMPTY. */
  private slots = new Int32Array(1024).fill(EMPTY);
  /** Per configuration: hash, state, first open word, number of words, words. */
  private pool = new Int32Array(8192);
  private poolEnd = 0;

  /** False when the configuration was there already. */
  add(linearized: LinearizedSet, state: number): boolean {
    const hash = hashOf(linearized, state);
    const slot = this.slotOf(hash, linearized, state);
    if (this.slots[slot] !== EMPTY) return false;
    this.slots[slot] = this.store(hash, linearized, state);
    this.size++;
    if (this.size * 2 > this.slots.length) this.grow();
    return true;
  }

  private slotOf(hash: number, linearized: LinearizedSet, state: number): number {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (;;) {
      const offset = this.slots[slot]!;
      if (offset === EMPTY || this.isAt(offset, hash, linearized, state)) return slot;
      slot = (slot + 1) & mask;
    }
  }

  private isAt(offset: number, hash: number, linearized: LinearizedSet, state: number): boolean {
    const { pool } = this;
    const first = linearized.firstOpenWord;
    const length = Math.max(0, linearized.endWord - first);
    if (pool[offset] !== hash || pool[offset + 1] !== state) return false;
    if (pool[offset + 2] !== first || pool[offset + 3] !== length) return false;
    for (let i = 0; i < length; i++) {
      if (pool[offset + 4 + i] !== linearized.words[first + i]) return false;
    }
    return true;
  }

  private store(hash: number, linearized: LinearizedSet, state: number): number {
    const first = linearized.firstOpenWord;
    const length = Math.max(0, linearized.endWord - first);
    const offset = this.poolEnd;
    this.poolEnd += 4 + length;
    if (this.poolEnd > this.pool.length) {
      const larger = new Int32Array(Math.max(this.pool.length * 2, this.poolEnd));
      larger.set(this.pool);
      this.pool = larger;
    }
    this.pool.set([hash, state, first, length], offset);
    if (length > 0) this.pool.set(linearized.words.subarray(first, first + length), offset + 4);
    return offset;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Int32Array(old.length * 2).fill(EMPTY);
    const mask = this.slots.length - 1;
    for (const offset of old) {
      if (offset === EMPTY) continue;
      let slot = this.pool[offset]! & mask;
      while (this.slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      this.slots[slot] = offset;
    }
  }
}

function hashOf(linearized: LinearizedSet, state: number): number {
  let hash = Math.imul(state + 1, 0x9e3779b1) ^ Math.imul(linearized.firstOpenWord + 1, 0x85ebca6b);
  for (let i = linearized.firstOpenWord; i < linearized.endWord; i++) {
    hash = Math.imul(hash ^ linearized.words[i]!, 0x01000193);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  return hash ^ (hash >>> 15);
}
