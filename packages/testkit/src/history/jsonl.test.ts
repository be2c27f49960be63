import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HistoryError } from "./history-error.ts";
import { readJsonLines, writeJsonLines } from "./jsonl.ts";
import type { MicroOp, Operation } from "./operation.ts";

async function read(text: string | string[]): Promise<Operation[]> {
  const operations: Operation[] = [];
  for await (const operation of readJsonLines([text].flat(), "h.jsonl")) operations.push(operation);
  return operations;
}

const line = '{"process":0,"invoke":1,"complete":2,"outcome":"ok","ops":[["append","x",1],["r","y",[1,2]]]}';

describe("JSON lines", () => {
  it("reads what it wrote, however the text is cut into chunks", async () => {
    const value = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null));
    const key = fc.oneof(fc.integer(), fc.string());
    const micro: fc.Arbitrary<MicroOp> = fc.oneof(
      fc.tuple(fc.constant("r" as const), key, fc.oneof(value, fc.array(value))),
      fc.tuple(
        fc.constantFrom("w" as const, "append" as const, "add" as const, "remove" as const),
        key,
        value,
      ),
      fc.tuple(fc.constant("cas" as const), key, value, value, fc.boolean()),
      fc.tuple(fc.constant("contains" as const), key, value, fc.boolean()),
      fc.tuple(fc.constant("delete" as const), key),
      fc.tuple(
        fc.constant("scan" as const),
        fc.record({ prefix: fc.string() }),
        fc.array(fc.tuple(key, value)),
      ),
    );
    const operation: fc.Arbitrary<Operation> = fc.record({
      process: fc.nat(),
      invoke: fc.nat(100),
      complete: fc.integer({ min: 100, max: 200 }),
      outcome: fc.constantFrom("ok" as const, "fail" as const, "unknown" as const),
      ops: fc.array(micro),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation), fc.integer({ min: 1, max: 50 }), async (history, size) => {
        const text = [...writeJsonLines(history)].join("");
        const chunks: string[] = [];
        for (let at = 0; at < text.length; at += size) chunks.push(text.slice(at, at + size));
        expect(await read(chunks)).toEqual(JSON.parse(JSON.stringify(history)));
      }),
    );
  });

  it("accepts empty lines, a missing last newline, and an operation that never completed", async () => {
    const open = '{"process":1,"invoke":1,"outcome":"unknown","ops":[["r","x"]]}';
    expect(await read(`\n${line}\r\n\n${open}`)).toHaveLength(2);
  });

  const faults: [string, string][] = [
    ['{"process":0', "h.jsonl:2: not JSON"],
    ["[1]", "an operation is an object, not [1]"],
    [line.replace('"process":0', '"process":-1'), '"process" is an integer of at least 0, not -1'],
    [line.replace('"invoke":1', '"invoke":"now"'), '"invoke" is a time, not "now"'],
    [line.replace('"complete":2', '"complete":0'), '"complete" is a time not before "invoke" (1), not 0'],
    [line.replace('"complete":2,', ""), '"complete" is missing; the outcome is "ok"'],
    [line.replace('"ok"', '"committed"'), '"outcome" is "ok", "fail" or "unknown", not "committed"'],
    [line.replace('["append","x",1]', '"append"'), 'a micro-operation is a list, not "append"'],
    [line.replace('"append","x"', '"push","x"'), '"push" is not a micro-operation'],
    [line.replace('"append","x"', '"append",null'), "is a string or a number, not null"],
    [line.replace("[1,2]", "[[1]]"), "what was read is not a value or a list of values"],
    [line.replace(",[1,2]", ""), "what was read is missing"],
    [line.replace('["append","x",1]', '["append","x"]'), "append takes a value"],
    [line.replace('["append","x",1]', '["cas","x",1]'), "cas takes an expected and a new value"],
    [line.replace('["append","x",1]', '["contains","x",1]'), "contains ends with true or false"],
    [line.replace('["append","x",1]', '["scan",["a"],[]]'), "the range of a scan is"],
    [line.replace('["append","x",1]', '["scan",{},[["a"]]]'), "a row of a scan is [key, what it held]"],
    ['{"khonsuHistory":2}', "written in version 2 of the format"],
  ];
  it.each(faults)("names file, line and fault: %s", async (text, message) => {
    const reading = read(`${line}\n${text}\n${line}`);
    await expect(reading).rejects.toThrow(HistoryError);
    await expect(read(`${line}\n${text}\n${line}`)).rejects.toThrow(message);
    await expect(read(`${line}\n${text}\n${line}`)).rejects.toMatchObject({ source: "h.jsonl", line: 2 });
  });
});
