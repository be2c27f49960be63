/** Which keys a benchmark touches: uniformly, from a fixed seed, without a cost that would show in the figures. */

export function pickKeys(keys: readonly string[]): () => string {
  let state = 0x2545f491;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return keys[(state >>> 0) % keys.length]!;
  };
}
