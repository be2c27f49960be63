/**
 * Runs of bits, least significant bit first, as Arrow packs validity and booleans. Source and target may begin at
 * any bit; whole bytes go at once where both are aligned alike.
 */

/** Copies `count` bits. The target bits must be zero before. */
export function copyBits(
  source: Uint8Array,
  sourceBit: number,
  target: Uint8Array,
  targetBit: number,
  count: number,
): void {
  let done = 0;
  if ((sourceBit & 7) === 0 && (targetBit & 7) === 0) {
    const bytes = Math.floor(count / 8);
    const from = Math.floor(sourceBit / 8);
    target.set(source.subarray(from, from + bytes), Math.floor(targetBit / 8));
    done = bytes * 8;
  }
  for (; done < count; done++) {
    if (isBitSet(source, sourceBit + done)) setBit(target, targetBit + done);
  }
}

/** Sets `count` bits to one. */
export function fillBits(target: Uint8Array, targetBit: number, count: number): void {
  let bit = targetBit;
  const end = targetBit + count;
  for (; bit < end && (bit & 7) !== 0; bit++) setBit(target, bit);
  const bytes = Math.floor((end - bit) / 8);
  if (bytes > 0) target.fill(255, bit / 8, bit / 8 + bytes);
  for (bit += Math.max(bytes, 0) * 8; bit < end; bit++) setBit(target, bit);
}

export function isBitSet(bitmap: Uint8Array, bit: number): boolean {
  return ((bitmap[Math.floor(bit / 8)] ?? 0) & (1 << (bit & 7))) !== 0;
}

/** Sets one bit to one. */
export function setBit(bitmap: Uint8Array, bit: number): void {
  const byte = Math.floor(bit / 8);
  bitmap[byte] = (bitmap[byte] ?? 0) | (1 << (bit & 7));
}

/** A zeroed bitmap for `count` bits, padded to 64 bits as the format recommends. */
export function newBitmap(count: number): Uint8Array {
  return new Uint8Array(Math.ceil(count / 64) * 8);
}
