import fc from "fast-check";
import { expect, test } from "vitest";
import { chainAfter, crc32c, entryChecksum } from "./checksum.ts";
import { slot } from "./slot.ts";

test("CRC-32C matches the published vectors (RFC 3720, B.4)", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
});

test("CRC-32C of a whole is CRC-32C of its parts, one after the other", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 64 }), (a, b) => {
      expect(crc32c(b, crc32c(a))).toBe(crc32c(Uint8Array.from([...a, ...b])));
    }),
  );
});

test("PX-13 a flipped bit, another slot or another proposer changes the checksum of an entry", () => {
  const command = {
    kind: "command",
    client: 2 ** 50 + 1,
    sequence: 7,
    command: Uint8Array.of(1, 2, 3),
  } as const;
  const sum = entryChecksum(command, slot(5));
  expect(entryChecksum({ ...command, command: Uint8Array.of(1, 2, 7) }, slot(5))).not.toBe(sum);
  expect(entryChecksum(command, slot(6))).not.toBe(sum);
  expect(entryChecksum({ ...command, client: 1 }, slot(5))).not.toBe(sum);
  expect(entryChecksum({ ...command, sequence: 8 }, slot(5))).not.toBe(sum);
  expect(entryChecksum({ kind: "noop" }, slot(5))).not.toBe(sum);
});

test("PX-13 the chain depends on every entry before, and on their order", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(0xffffffff), { minLength: 2, maxLength: 20 }),
      fc.nat(),
      (sums, pick) => {
        const chain = (list: readonly number[]): number =>
          list.reduce((previous, sum, i) => chainAfter(previous, slot(i + 1), sum), 0);
        const at = pick % (sums.length - 1);
        const swapped = sums.with(at, sums[at + 1]!).with(at + 1, sums[at]!);
        expect(Number.isSafeInteger(chain(sums))).toBe(true);
        expect(chain(sums)).toBeGreaterThan(0);
        expect(chain(swapped)).not.toBe(chain(sums));
        expect(chain(sums.with(at, sums[at]! ^ 1))).not.toBe(chain(sums));
      },
    ),
  );
});
