// How values of the usual kinds look when they are torn or rot: text loses its end or has one character changed, bytes likewise.

import type { DiskCodec } from "./disk.ts";

export const TEXT_CODEC: DiskCodec<string> = {
  tear: (value, prng) => value.slice(0, prng.integer(0, Math.max(0, value.length - 1))),
  rot(value, prng) {
    if (value.length === 0) return "\u0001";
    const at = prng.integer(0, value.length - 1);
    const unit = value.charCodeAt(at) ^ (1 << prng.integer(0, 6));
    return value.slice(0, at) + String.fromCharCode(unit) + value.slice(at + 1);
  },
};

export const BYTES_CODEC: DiskCodec<Uint8Array> = {
  tear: (value, prng) => value.slice(0, prng.integer(0, Math.max(0, value.length - 1))),
  rot(value, prng) {
    if (value.length === 0) return Uint8Array.of(1);
    const damaged = value.slice();
    const at = prng.integer(0, damaged.length - 1);
    damaged[at] = (damaged[at] as number) ^ (1 << prng.integer(0, 7));
    return damaged;
  },
};
