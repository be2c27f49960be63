import { create, toBinary } from "@bufbuild/protobuf";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import fc from "fast-check";
import { expect, test } from "vitest";
import { command } from "../../test/arbitraries.ts";
import { EntrySchema } from "../gen/khonsu/shard/v1/entry_pb.ts";
import type { Command } from "../shard/command.ts";
import { assertAddressed, decodeCommand, encodeCommand } from "./command-codec.ts";

const at = (timestamp: number) => timestamp as CommitTimestamp;

test("every command comes back as it was, and with the same bytes", () => {
  fc.assert(
    fc.property(command, (before) => {
      const bytes = encodeCommand(before);
      const after = decodeCommand(bytes);
      expect(after).toEqual(before);
      expect(encodeCommand(after)).toEqual(bytes);
    }),
    { numRuns: 2000 },
  );
});

test("damaged and random bytes give an error with a code, or a command that is well-formed", () => {
  const damaged = fc
    .tuple(command, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }), fc.nat())
    .map(([each, changes, cut]) => {
      const bytes = encodeCommand(each);
      for (const [place, value] of changes) if (bytes.length > 0) bytes[place % bytes.length] = value;
      return bytes.subarray(0, bytes.length - (cut % 4 === 0 ? cut % (bytes.length + 1) : 0));
    });
  const codes = new Set<unknown>();
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 60 })), (bytes) => {
      try {
        const decoded = decodeCommand(bytes);
        expect(decodeCommand(encodeCommand(decoded))).toEqual(decoded);
      } catch (error) {
        expect(error).toHaveProperty("code", expect.stringMatching(/^KHONSU_ENTRY_(MALFORMED|UNSUPPORTED)$/));
        codes.add((error as { code: unknown }).code);
      }
    }),
    { numRuns: 5000 },
  );
  expect(codes.size).toBe(2);
});

const request = {
  isolation: "serializable",
  snapshot: at(3),
  proposed: at(4),
  observed: at(5),
  reads: [{ key: "r", version: at(2) }],
  ranges: [{ low: "a", high: "b", isHighIncluded: false }],
  writes: [
    {
      key: "k",
      operation: { kind: "put", value: Uint8Array.of(1, 2) },
      onConflict: "append",
      baseline: at(0),
      mergeBy: { keyColumn: "id", isRequired: false },
      isConditional: false,
    },
  ],
  readBack: ["k"],
} as const;
const [put] = request.writes;
const id = { birth: 7, random: 8, home: 1 };
const alone = { kind: "commit", id, participants: [1], votes: undefined } as const;

/** The format of what is on disk: a change here is a new format. */
test.each<readonly [string, Command, string]>([
  ["advance", { kind: "advance", timestamp: at(300) }, "2a0308ac02"],
  ["floors", { kind: "floors", gcFloor: at(1), idFloor: 2 }, "320408011002"],
  ["acknowledge", { kind: "acknowledge", id, participants: [0, 2] }, "220c0a06080710081801120200 02"],
  [
    "commit",
    { ...alone, request },
    "123b0a06080710081801123108031003180420052a050a0172100232080a020061120200623a110a016b1202010230043800" +
      "42040a02696442016b4801",
  ],
  [
    "acknowledgements",
    { kind: "acknowledgements", items: [{ id, participants: [0] }] },
    "3a0d0a0b" + "0a06080710081801" + "120100",
  ],
  [
    "commit of several",
    { kind: "commit", id, participants: [0, 1], request, votes: { timestamp: at(9), ignored: [] } },
    "1243" +
      "0a06080710081801" +
      "123108031003180420052a050a0172100232080a020061120200623a110a016b12020102300438" +
      "0042040a02696442016b4801" +
      "1a020001" +
      "22020809",
  ],
  [
    "decide",
    { kind: "decide", id, outcome: { kind: "committed", value: { timestamp: at(9), ignored: ["x"] } } },
    "1a110a060807100818011207" + "0a0508091201" + "78",
  ],
])("the bytes of %s are what they were", (_, before, hex) => {
  const golden = hex.replaceAll(" ", "");
  expect(Buffer.from(encodeCommand(before)).toString("hex")).toBe(golden);
  expect(decodeCommand(Uint8Array.from(Buffer.from(golden, "hex")))).toEqual(before);
});

test("what a later version added is an error of its own", () => {
  const unknown = create(EntrySchema);
  unknown.$unknown = [{ no: 15, wireType: 0, data: Uint8Array.of(1) }];
  expect(() => decodeCommand(toBinary(EntrySchema, unknown))).toThrow(
    expect.objectContaining({ code: "KHONSU_ENTRY_UNSUPPORTED" }),
  );
});

test.each<readonly [string, Command]>([
  [
    "writes that do not rise",
    { ...alone, request: { ...request, writes: [request.writes[0], request.writes[0]] } },
  ],
  ["reads under repeatable read", { ...alone, request: { ...request, isolation: "repeatable-read" } }],
  [
    "a conditional write without a version",
    {
      ...alone,
      request: { ...request, writes: [{ ...put, isConditional: true, baseline: undefined }] },
    },
  ],
  [
    "a conditional write of what is there at the snapshot",
    {
      ...alone,
      request: { ...request, writes: [{ ...put, isConditional: true, baseline: "snapshot" }] },
    },
  ],
  [
    "a baseline at a snapshot under read committed",
    {
      ...alone,
      request: {
        ...request,
        isolation: "read-committed",
        reads: [],
        ranges: [],
        writes: [{ ...put, isConditional: false, baseline: "snapshot" }],
      },
    },
  ],
  ["an empty key", { ...alone, request: { ...request, readBack: [""] } }],
  ["home not among the participants", { kind: "prepare", id, participants: [0, 2], request }],
  ["votes without others", { ...alone, request, votes: { timestamp: at(9), ignored: [] } }],
  ["others without votes", { ...alone, participants: [0, 1], request }],
  ["participants that do not rise", { kind: "acknowledge", id, participants: [2, 0] }],
  ["no participants", { kind: "acknowledge", id, participants: [] }],
])("refused: %s", (_, wrong) => {
  expect(() => decodeCommand(encodeCommand(wrong))).toThrow(
    expect.objectContaining({ code: "KHONSU_ENTRY_MALFORMED" }),
  );
});

test("a leader does not propose what is for another shard", () => {
  expect(() => assertAddressed({ ...alone, request }, 1)).not.toThrow();
  expect(() => assertAddressed({ ...alone, request }, 0)).toThrow("for another shard");
  expect(() => assertAddressed({ kind: "prepare", id, participants: [1, 2], request }, 2)).not.toThrow();
  expect(() => assertAddressed({ kind: "prepare", id, participants: [1, 2], request }, 1)).toThrow();
  expect(() => assertAddressed({ kind: "prepare", id, participants: [1, 2], request }, 3)).toThrow(
    "for another shard",
  );
});

test("keys that UTF-8 cannot hold are refused before they are encoded", () => {
  expect(() => encodeCommand({ ...alone, request: { ...request, readBack: ["\uD800"] } })).toThrow(
    RangeError,
  );
});
