/** The part of `crc-32` that has no types of its own: CRC-32C, as a signed integer. */
declare module "crc-32/crc32c.js" {
  const crc32c: { buf(data: Uint8Array, seed?: number): number };
  export default crc32c;
}
