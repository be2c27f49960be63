import type { Runtime } from "@khonsu/core";
import { expect, test } from "vitest";
import { TransportError } from "../errors.ts";
import { Asks } from "./asks.ts";

/** A clock that is moved by hand. */
class ManualClock implements Pick<Runtime, "now" | "schedule"> {
  at = 0;
  readonly timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  readonly now = () => this.at;

  readonly schedule = (milliseconds: number, callback: () => void) => {
    const timer = { at: this.at + milliseconds, callback };
    this.timers.add(timer);
    return () => {
      this.timers.delete(timer);
    };
  };

  advance(to: number): void {
    for (;;) {
      const due = [...this.timers].filter(({ at }) => at <= to).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers.delete(due);
      this.at = Math.max(this.at, due.at);
      due.callback();
    }
    this.at = to;
  }
}

function asking() {
  const clock = new ManualClock();
  const asks = new Asks(clock as unknown as Runtime);
  const told: string[] = [];
  const ask = (name: string, timeoutMs: number) => {
    const { answer, number } = asks.open(name, timeoutMs);
    answer.then(
      (body) => told.push(`${name} ${body.length} at ${clock.at}`),
      ({ code }: TransportError) => told.push(`${name} ${code} at ${clock.at}`),
    );
    return number;
  };
  return { clock, asks, ask, told, turn: () => new Promise((resolve) => setImmediate(resolve)) };
}

test("WIRE-9: each question has its own time, in whatever order they were asked, by one timer", async () => {
  const { ask, clock, told, turn } = asking();
  ask("slow", 100);
  ask("quick", 10);
  ask("middling", 50);
  expect(clock.timers.size).toBe(1);
  for (const at of [9, 10, 60, 120]) {
    clock.advance(at);
    await turn();
  }
  expect(told.map((each) => each.replace(/ at .*/, ""))).toEqual(
    ["quick", "middling", "slow"].map((name) => `${name} KHONSU_PEER_TIMEOUT`),
  );
  expect(told[0]).toContain("at 10");
  expect(clock.timers.size).toBe(0);
});

test("WIRE-9: what is answered ends once, and a late or second answer is no error", async () => {
  const { ask, asks, clock, told, turn } = asking();
  const number = ask("one", 10);
  asks.answer(number, new Uint8Array(3));
  asks.answer(number, new Uint8Array(4));
  asks.fail(number, new TransportError("KHONSU_PEER_FAILED", "too late"));
  clock.advance(20);
  await turn();
  expect(told).toEqual(["one 3 at 20"]);
  expect(asks.size).toBe(0);
});

test("WIRE-9: with the link all of them end, and no timer is left; later ones have their time again", async () => {
  const { ask, asks, clock, told, turn } = asking();
  ask("a", 10);
  ask("b", 20);
  asks.failAll(new TransportError("KHONSU_PEER_UNREACHABLE", "gone"));
  await turn();
  expect(told).toEqual(["a KHONSU_PEER_UNREACHABLE at 0", "b KHONSU_PEER_UNREACHABLE at 0"]);
  expect(clock.timers.size).toBe(0);
  ask("c", 5);
  clock.advance(5);
  await turn();
  expect(told[2]).toBe("c KHONSU_PEER_TIMEOUT at 5");
});
