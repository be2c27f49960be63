import { expect, test } from "vitest";
import { ManualRuntime } from "../test/manual-runtime.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import { decodeCommand } from "./codec/command-codec.ts";
import type { Command } from "./shard/command.ts";

function setUp() {
  const runtime = new ManualRuntime();
  const proposed: Command[] = [];
  const consensus = {
    propose: async (command: Uint8Array) => {
      proposed.push(decodeCommand(command));
      throw new Error("nobody is told");
    },
    readBarrier: async () => {},
    status: () => ({ isLeader: true, leader: 1, applied: 0 }),
  };
  return { runtime, proposed, acknowledgements: new Acknowledgements({ consensus, runtime }) };
}

const of = (random: number) => ({ id: { birth: 1, random, home: 0 }, participants: [1, 2] });

test("what comes within a while is one entry, and what comes later another", async () => {
  const { runtime, proposed, acknowledgements } = setUp();
  acknowledgements.note(of(1));
  await runtime.pass(150);
  acknowledgements.note(of(2));
  expect(proposed).toEqual([]);
  await runtime.pass(50);
  expect(proposed).toEqual([{ kind: "acknowledgements", items: [of(1), of(2)] }]);
  acknowledgements.note(of(3));
  await runtime.pass(1000);
  expect(proposed.slice(1)).toEqual([{ kind: "acknowledgements", items: [of(3)] }]);
});

test("an entry is bounded", async () => {
  const { runtime, proposed, acknowledgements } = setUp();
  for (let random = 0; random < 1500; random++) acknowledgements.note(of(random));
  await runtime.pass(1000);
  expect(proposed.map((command) => (command.kind === "acknowledgements" ? command.items.length : 0))).toEqual(
    [1000, 500],
  );
});
