// The JSON schema and the reader agree on what an operation is; what a schema cannot say is named.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseOperation } from "../src/history/index.ts";

const root = join(import.meta.dirname, "..");
const schema = JSON.parse(readFileSync(join(root, "history.schema.json"), "utf8"));
const isLine = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
}).compile(schema);

function isRead(value: unknown): boolean {
  try {
    parseOperation(value);
    return true;
  } catch {
    return false;
  }
}

describe("history.schema.json", () => {
  it.each(["write-skew.jsonl", "register.jsonl"])("accepts every line of samples/%s", (sample) => {
    const lines = readFileSync(join(root, "samples", sample), "utf8")
      .trim()
      .split("\n");
    for (const line of lines) expect(isLine(JSON.parse(line)), line).toBe(true);
  });

  it("agrees with the reader on operations with something wrong or left out", () => {
    const some = fc.constantFrom<unknown>(0, 1, -1, 1.5, "x", true, null, [], [1], {}, { prefix: "a" });
    const name = fc.constantFrom(
      "r",
      "w",
      "cas",
      "append",
      "add",
      "remove",
      "contains",
      "delete",
      "scan",
      "push",
    );
    const row = fc.oneof(some, fc.tuple(fc.constantFrom<unknown>("k", 1), some));
    const micro = fc.oneof(
      fc.tuple(name, some, some, some, some).chain((op) => fc.nat(5).map((length) => op.slice(0, length))),
      fc.tuple(fc.constantFrom("r", "append"), fc.constant("k"), some),
      fc.tuple(
        fc.constant("scan"),
        fc.constantFrom<unknown>({}, { from: "a" }),
        fc.array(row, { maxLength: 2 }),
      ),
    );
    const operation = fc.record(
      {
        process: fc.oneof(fc.constant(0), some),
        invoke: fc.constantFrom<unknown>(0, "x"),
        complete: fc.constantFrom<unknown>(5, null, "x"),
        outcome: fc.constantFrom<unknown>("fail", "unknown", "done"),
        ops: fc.oneof(some, fc.array(micro, { maxLength: 2 })),
      },
      { requiredKeys: [] },
    );
    const seen = { accepted: 0, refused: 0 };
    fc.assert(
      fc.property(operation, (value) => {
        const expected = isRead(value);
        seen[expected ? "accepted" : "refused"]++;
        expect(isLine(value), JSON.stringify(value)).toBe(expected);
      }),
      { numRuns: 10000 },
    );
    expect(seen.accepted).toBeGreaterThan(50);
  });

  it("leaves to the reader that completion is not before invocation, and that reads that are ok have results", () => {
    const backwards = { process: 0, invoke: 5, complete: 4, outcome: "ok", ops: [] };
    const silent = { process: 0, invoke: 0, complete: 4, outcome: "ok", ops: [["r", "x"]] };
    for (const value of [backwards, silent]) expect([isLine(value), isRead(value)]).toEqual([true, false]);
  });
});
