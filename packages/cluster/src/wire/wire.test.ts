/** Integers of every size and nested messages of any length against the room that was left for it; compared with the library's reader. */
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

const EDGES = [0, 1, 127, 128, 2 ** 28 - 1, 2 ** 28, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
const integer = fc.oneof(fc.constantFrom(...EDGES), fc.maxSafeNat());

test("integers", () => {
  fc.assert(
    fc.property(integer, fc.integer({ min: 1, max: 100_000 }), (value, field) => {
      const writer = new WireWriter(1);
      writer.uintItem(value);
      writer.fixed64Item(value);
      writer.uint(field, value);
      writer.fixed64(field, value);
      const bytes = writer.finish();

      const theirs = new BinaryReader(bytes);
      expect(BigInt(theirs.uint64())).toBe(BigInt(value));
      expect(BigInt(theirs.fixed64())).toBe(BigInt(value));
      if (value === 0) return;
      expect(theirs.tag()).toEqual([field, WireType.Varint]);
      expect(BigInt(theirs.uint64())).toBe(BigInt(value));

      const ours = new WireReader(bytes.subarray(bytes.length - theirs.len + theirs.pos), Error);
      expect(ours.field()).toBe(field);
      expect(ours.fixed64()).toBe(value);
      expect(ours.field()).toBe(0);
    }),
  );
});

test("a nested message is right however much room was left for its length", () => {
  const size = fc.oneof(fc.nat(300), fc.constantFrom(127, 128, 16_383, 16_384, 40_000));
  fc.assert(
    fc.property(size, size, fc.nat(40), (length, lengthMax, before) => {
      const writer = new WireWriter(1);
      writer.bytes(1, new Uint8Array(before).fill(1));
      const start = writer.begin(2, lengthMax);
      for (let i = 0; i < length; i++) writer.uintItem(2);
      writer.end(start, lengthMax);
      writer.uint(3, 3);

      const reader = new WireReader(writer.finish(), Error);
      if (before > 0) {
        expect(reader.field()).toBe(1);
        expect(reader.bytes()).toEqual(new Uint8Array(before).fill(1));
      }
      expect(reader.field()).toBe(2);
      const items: number[] = [];
      reader.uints(items);
      expect(items).toEqual(new Array(length).fill(2));
      expect(reader.field()).toBe(3);
      expect(reader.uint()).toBe(3);
      expect(reader.field()).toBe(0);
    }),
  );
});

test("a field of any type is passed over, and none that is cut short", () => {
  const fields = [
    [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0x09, 1, 2, 3, 4, 5, 6, 7, 0xff],
    [0x0a, 2, 1, 2],
    [0x0d, 1, 2, 3, 0xff],
  ];
  for (const field of fields) {
    const reader = new WireReader(Uint8Array.of(...field, 0x10, 5), Error);
    reader.field();
    reader.skip();
    expect([reader.field(), reader.uint()]).toEqual([2, 5]);
    const short = new WireReader(Uint8Array.from(field.slice(0, -1)), Error);
    short.field();
    expect(() => short.skip()).toThrow(Error);
  }
  const group = new WireReader(Uint8Array.of(0x0b), Error);
  group.field();
  expect(() => group.skip()).toThrow(Error);
});
