import type { CommitTimestamp } from "@khonsu/core/isolation";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ManualRuntime } from "../test/manual-runtime.ts";
import { type TurnLimits, type TurnRequest, Turns } from "./turns.ts";

const LIMITS: TurnLimits = { leaseMs: 50, waitMs: 200, overtakenMs: 100, placesMax: 8 };

const wanting = (
  token: number,
  written: readonly string[],
  { since = token, read = [] as readonly string[] } = {},
): TurnRequest => ({ token, since: since as CommitTimestamp, written, read });

/** Turns, and what became of each who asked: "granted", "denied", or nothing yet. */
function setUp(limits: Partial<TurnLimits> = {}) {
  const runtime = new ManualRuntime();
  const turns = new Turns(runtime, { ...LIMITS, ...limits });
  const answers = new Map<number, "granted" | "denied">();
  const take = (request: TurnRequest): void => {
    answers.delete(request.token);
    void turns
      .take(request)
      .then((isGranted) => answers.set(request.token, isGranted ? "granted" : "denied"));
  };
  return { runtime, turns, answers, take, settled: () => runtime.pass(0) };
}

const granted = (answers: ReadonlyMap<number, string>): number[] =>
  [...answers].filter(([, answer]) => answer === "granted").map(([token]) => token);

describe("a turn", () => {
  test("comes at once where nobody is in the way", async () => {
    const { answers, take, settled } = setUp();
    take(wanting(1, ["a"]));
    take(wanting(2, ["b"]));
    await settled();
    expect(granted(answers)).toEqual([1, 2]);
  });

  test("is one at a key that is written, and passes on when it ends", async () => {
    const { answers, take, turns, settled } = setUp();
    take(wanting(1, ["a"]));
    take(wanting(2, [], { read: ["a"] }));
    take(wanting(3, ["a"]));
    await settled();
    expect(granted(answers)).toEqual([1]);
    turns.end(1);
    await settled();
    expect(granted(answers)).toEqual([1, 2]);
    turns.end(2);
    await settled();
    expect(granted(answers)).toEqual([1, 2, 3]);
  });

  test("is shared by those who only read", async () => {
    const { answers, take, settled } = setUp();
    take(wanting(1, [], { read: ["a"] }));
    take(wanting(2, [], { read: ["a", "b"] }));
    await settled();
    expect(granted(answers)).toEqual([1, 2]);
  });

  test("goes to the oldest, whenever it came", async () => {
    const { answers, take, turns, settled } = setUp();
    take(wanting(1, ["a"]));
    take(wanting(2, ["a"], { since: 20 }));
    take(wanting(3, ["a"], { since: 10 }));
    turns.end(1);
    await settled();
    expect(granted(answers)).toEqual([1, 3]);
  });

  test("of one who is not heard of ends with its lease", async () => {
    const { answers, runtime, take, turns } = setUp();
    take(wanting(1, ["a"]));
    take(wanting(2, ["a"]));
    await runtime.pass(LIMITS.leaseMs - 1);
    expect(granted(answers)).toEqual([1]);
    await runtime.pass(2);
    expect(granted(answers)).toEqual([1, 2]);
    expect(turns.counters).toEqual({ granted: 2, expired: 1, denied: 0 });
  });

  test("that is asked for again is another one: what was held before is free", async () => {
    const { answers, take, settled } = setUp();
    take(wanting(1, ["a"]));
    take(wanting(2, ["a"]));
    take(wanting(1, ["b"]));
    await settled();
    expect(granted(answers).sort()).toEqual([1, 2]);
  });
});

describe("who waits", () => {
  test("is overtaken while others hold some of its keys, and not for longer", async () => {
    const { answers, runtime, take, turns } = setUp({ leaseMs: 1000 });
    take(wanting(1, ["a"]));
    take(wanting(2, ["a", "b"]));
    take(wanting(3, ["b"]));
    await runtime.pass(LIMITS.overtakenMs);
    expect(granted(answers)).toEqual([1, 3]);
    take(wanting(4, ["b"]));
    turns.end(3);
    await runtime.pass(0);
    expect(granted(answers)).toEqual([1, 3]);
    turns.end(1);
    await runtime.pass(0);
    expect(granted(answers)).toEqual([1, 3, 2]);
  });

  test("is told in the end that no turn comes", async () => {
    const { answers, runtime, take, turns } = setUp({ leaseMs: 1000 });
    take(wanting(1, ["a"]));
    take(wanting(2, ["a"]));
    await runtime.pass(LIMITS.waitMs);
    expect(answers.get(2)).toBe("denied");
    expect([turns.waiting, turns.held]).toEqual([0, 1]);
  });

  test("is told at once where all places are taken", async () => {
    const { answers, take, settled } = setUp({ placesMax: 2 });
    for (const token of [1, 2, 3]) take(wanting(token, ["a"]));
    await settled();
    expect(answers.get(3)).toBe("denied");
  });

  test("and gives up leaves its place", async () => {
    const { answers, take, turns, settled } = setUp();
    for (const token of [1, 2, 3]) take(wanting(token, ["a"]));
    turns.end(2);
    turns.end(1);
    await settled();
    expect([...answers]).toEqual([
      [1, "granted"],
      [2, "denied"],
      [3, "granted"],
    ]);
  });
});

// TX-33, in any order of events: what the head of turns.ts promises.
test("turns exclude one another, are bounded, and everybody is answered in time", async () => {
  const key = fc.constantFrom("a", "b", "c", "d");
  const some = fc.uniqueArray(key, { maxLength: 3 });
  const token = fc.integer({ min: 1, max: 12 });
  const event = fc.oneof(
    fc.record({ kind: fc.constant("take" as const), token, since: fc.nat(20), written: some, read: some }),
    fc.record({ kind: fc.constant("end" as const), token }),
    fc.record({ kind: fc.constant("pass" as const), milliseconds: fc.nat(80) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 60 }), async (events) => {
      const { runtime, turns } = setUp();
      const holding = new Map<number, { readonly request: TurnRequest; readonly until: number }>();
      let [asked, answered] = [0, 0];
      const onAnswer = (request: TurnRequest, at: number) => (isGranted: boolean) => {
        answered++;
        expect(runtime.now() - at).toBeLessThanOrEqual(LIMITS.waitMs + 1);
        if (!isGranted) return;
        for (const [other, held] of holding)
          if (other !== request.token && held.until > runtime.now())
            expect(excludes(held.request, request), `${other} and ${request.token}`).toBe(false);
        holding.set(request.token, { request, until: runtime.now() + LIMITS.leaseMs });
      };
      for (const each of events) {
        if (each.kind === "pass") await runtime.pass(each.milliseconds);
        else holding.delete(each.token);
        if (each.kind === "end") turns.end(each.token);
        if (each.kind === "take") {
          const request = { ...each, since: each.since as CommitTimestamp };
          asked++;
          void turns.take(request).then(onAnswer(request, runtime.now()));
        }
        await runtime.pass(0);
        expect(turns.waiting + turns.held).toBeLessThanOrEqual(LIMITS.placesMax);
      }
      await runtime.pass(LIMITS.waitMs + LIMITS.leaseMs + 1);
      expect([answered, turns.waiting, turns.held]).toEqual([asked, 0, 0]);
    }),
  );
});

function excludes(a: TurnRequest, b: TurnRequest): boolean {
  const touches = (one: TurnRequest, other: TurnRequest) =>
    one.written.some((key) => other.written.includes(key) || other.read.includes(key));
  return touches(a, b) || touches(b, a);
}
