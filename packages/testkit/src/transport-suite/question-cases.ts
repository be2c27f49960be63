/** Questions and answers: they arrive as they were, each answer at its question, many at once, small and large. */
import assert from "node:assert/strict";
import { encodeShardAnswer, encodeShardRequest, type ShardAnswer, type ShardRequest } from "@khonsu/cluster";
import type { CommitTimestamp } from "@khonsu/core";
import type { Serve } from "./harness.ts";
import { ANSWERS, prepareOf, REQUESTS, shardValueOf } from "./samples.ts";
import type { Cases } from "./transport-suite.ts";

/** A question that is told apart by a number, and the answer to it. */
export const question = (number: number): ShardRequest => ({ kind: "identities", keys: [`key/${number}`] });
export const answerTo = (number: number): ShardAnswer => ({
  kind: "identities",
  identities: [{ key: `key/${number}`, version: (number + 1) as CommitTimestamp }],
});

export const numberIn = (request: ShardRequest): number =>
  request.kind === "identities" ? Number(request.keys[0]!.slice("key/".length)) : Number.NaN;

export const echo: Serve = async (_shard, request) => answerTo(numberIn(request));

/** A promise to be resolved from outside. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const same = (a: ShardAnswer, b: ShardAnswer) =>
  assert.deepEqual(Buffer.from(encodeShardAnswer(a)), Buffer.from(encodeShardAnswer(b)));

export const QUESTION_CASES: Cases = {
  "requests and answers of every kind arrive as they were, at the right shard": async (network) => {
    const asked: { shard: number; bytes: Buffer }[] = [];
    const asking = await network.start(1, echo);
    await network.start(2, async (shard, request) => {
      asked.push({ shard, bytes: Buffer.from(encodeShardRequest(request)) });
      return ANSWERS[shard % ANSWERS.length]!;
    });
    const count = Math.max(REQUESTS.length, ANSWERS.length);
    for (let i = 0; i < count; i++) {
      const request = REQUESTS[i % REQUESTS.length]!;
      const shard = i === 0 ? 2 ** 20 - (2 ** 20 % ANSWERS.length) : i;
      const answer = await asking.ask(2, shard, request);
      assert.equal(asked.at(-1)!.shard, shard);
      assert.deepEqual(asked.at(-1)!.bytes, Buffer.from(encodeShardRequest(request)));
      same(answer, ANSWERS[i % ANSWERS.length]!);
    }
  },

  "nodes ask each other at the same time, also for the answer to what they are asked": async (network) => {
    const transports: Record<number, Awaited<ReturnType<typeof network.start>>> = {};
    const forward =
      (to: number): Serve =>
      (shard, request) =>
        shard === 0 ? transports[to]!.ask(to, 1, request) : echo(shard, request);
    transports[2] = await network.start(1, forward(2));
    transports[1] = await network.start(2, forward(1));
    const answers = await Promise.all([
      transports[2].ask(2, 0, question(12)),
      transports[1].ask(1, 0, question(21)),
    ]);
    same(answers[0], answerTo(12));
    same(answers[1], answerTo(21));
  },

  "answers find their questions, in whatever order they are given": async (network) => {
    const asking = await network.start(1, echo);
    const gates = [gate(), gate(), gate()];
    await network.start(2, async (_shard, request) => {
      const number = numberIn(request);
      await gates[number]!.opened;
      return answerTo(number);
    });
    const told: number[] = [];
    const asked = gates.map(async (_, number) => {
      const answer = await asking.ask(2, 0, question(number));
      told.push(number);
      same(answer, answerTo(number));
    });
    for (const number of [2, 0, 1]) {
      gates[number]!.open();
      await asked[number];
    }
    assert.deepEqual(told, [2, 0, 1]);
  },

  "many questions are under way at once, to several nodes": async (network) => {
    const asking = await network.start(1, echo);
    const isEnough = gate();
    let waiting = 0;
    for (const node of [2, 3]) {
      await network.start(node, async (shard, request) => {
        if (++waiting === 500) isEnough.open();
        await isEnough.opened;
        return echo(shard, request);
      });
    }
    const asked = Array.from({ length: 500 }, (_, number) =>
      asking.ask(2 + (number % 2), 0, question(number)),
    );
    for (const [number, answer] of (await Promise.all(asked)).entries()) same(answer, answerTo(number));
  },

  "large messages arrive whole, either way, and small ones beside them": async (network, largestBytes) => {
    const asking = await network.start(1, echo);
    await network.start(2, async (_shard, request) => {
      if (request.kind === "identities") return echo(0, request);
      assert.ok(request.kind === "commit" && request.request.kind === "prepare");
      const { operation } = request.request.request.writes[0]!;
      assert.ok(operation.kind === "put");
      const { length } = operation.value;
      return {
        kind: "read",
        at: 1 as CommitTimestamp,
        entries: [
          {
            key: "k",
            version: 1 as CommitTimestamp,
            value: shardValueOf(length, operation.value[length - 1]),
          },
        ],
        ranges: [],
        isNewest: false,
      };
    });
    const large = async (bytes: number, fill: number) => {
      const answer = await asking.ask(2, 0, prepareOf(new Uint8Array(bytes).fill(fill)));
      assert.ok(answer.kind === "read");
      assert.equal(answer.entries[0]!.value!.hash, shardValueOf(bytes, fill).hash);
    };
    const small = async (number: number) => same(await asking.ask(2, 0, question(number)), answerTo(number));
    for (const bytes of [1, 65_535, 65_536, largestBytes]) await large(bytes, bytes % 251);
    await Promise.all([large(largestBytes, 1), small(1), large(100_000, 2), small(2), small(3)]);
  },
};
