import { expect, test } from "vitest";
import { Gathering } from "./gathering.ts";
import { Outcomes } from "./outcomes.ts";

const proposal = (sequence: number, bytes = 1) => ({ client: 1, sequence, command: new Uint8Array(bytes) });

test("somebody has to see to the first proposal, and to one that makes a full message", () => {
  const gathering = new Gathering({ batchEntriesMax: 3, batchBytesMax: 100 });
  expect([1, 2, 3].map((sequence) => gathering.push(proposal(sequence)))).toEqual([true, false, true]);
  expect(gathering.isFull).toBe(true);
  expect(gathering.take().map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  expect([gathering.isEmpty, gathering.isFull]).toEqual([true, false]);
  expect([gathering.push(proposal(4, 60)), gathering.push(proposal(5, 60))]).toEqual([true, true]);
  expect(gathering.isFull).toBe(true);
});

test("each who waits for a proposal is told once, also if several wait for the same", () => {
  const outcomes = new Outcomes();
  const told: string[] = [];
  const waiter = (name: string) => ({
    resolve: ({ slot }: { slot: number }) => told.push(`${name} at ${slot}`),
    reject: ({ message }: Error) => told.push(`${name} ${message}`),
  });
  for (const name of ["a", "b", "c"]) outcomes.wait({ client: 1, sequence: 1 }, waiter(name));
  outcomes.wait({ client: 1, sequence: 2 }, waiter("d"));
  outcomes.wait({ client: 2, sequence: 1 }, waiter("e"));
  outcomes.resolve({ client: 3, sequence: 1 }, { slot: 9 as never, result: undefined });
  for (let twice = 0; twice < 2; twice++)
    outcomes.resolve({ client: 1, sequence: 1 }, { slot: 7 as never, result: undefined });
  outcomes.reject({ client: 1, sequence: 2 }, new Error("refused"));
  expect(outcomes.isEmpty).toBe(false);
  outcomes.rejectAll(new Error("closed"));
  expect(told).toEqual(["a at 7", "b at 7", "c at 7", "d refused", "e closed"]);
  expect(outcomes.isEmpty).toBe(true);
});
