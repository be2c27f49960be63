/** Nodes that are not there, go away, come back, answer late or not at all: told by a rejection, and without harm to others. */
import assert from "node:assert/strict";
import { encodeShardAnswer, type ShardAnswer } from "@khonsu/cluster";
import { answerTo, echo, gate, numberIn, question } from "./question-cases.ts";
import type { Cases } from "./transport-suite.ts";

const same = (a: ShardAnswer, b: ShardAnswer) =>
  assert.deepEqual(Buffer.from(encodeShardAnswer(a)), Buffer.from(encodeShardAnswer(b)));

export const FAILURE_CASES: Cases = {
  "whoever is not there cannot be asked, and that is told": async (network) => {
    const asking = await network.start(1, echo);
    await assert.rejects(asking.ask(2, 0, question(1)));
  },

  "whoever has gone away cannot be asked, and can when it is back": async (network) => {
    const asking = await network.start(1, echo);
    await network.start(2, echo);
    same(await asking.ask(2, 0, question(1)), answerTo(1));
    await network.stop(2);
    await assert.rejects(asking.ask(2, 0, question(2)));
    await network.start(2, echo);
    same(await eventually(() => asking.ask(2, 0, question(3))), answerTo(3));
  },

  "a question to a node that goes away before it answers is rejected": async (network) => {
    const asking = await network.start(1, echo);
    const arrived = gate();
    await network.start(2, async () => {
      arrived.open();
      return new Promise(() => {});
    });
    const asked = asking.ask(2, 0, question(1));
    asked.catch(() => {});
    await arrived.opened;
    await network.stop(2);
    await assert.rejects(asked);
  },

  "a node that goes away takes no others with it": async (network) => {
    const asking = await network.start(1, echo);
    const isGone = gate();
    await network.start(2, echo);
    await network.start(3, async (shard, request) => {
      await isGone.opened;
      return echo(shard, request);
    });
    const slow = asking.ask(3, 0, question(3));
    same(await asking.ask(2, 0, question(2)), answerTo(2));
    await network.stop(2);
    isGone.open();
    same(await slow, answerTo(3));
  },

  "answers of a node's former life are not taken for those of its new one": async (network) => {
    const asking = await network.start(1, echo);
    const held = gate();
    const arrived = gate();
    await network.start(2, async () => {
      arrived.open();
      await held.opened;
      return answerTo(1000);
    });
    const before = asking.ask(2, 0, question(1));
    before.catch(() => {});
    await arrived.opened;
    await network.stop(2);
    await assert.rejects(before);
    await network.start(2, echo);
    held.open();
    for (let number = 1; number < 20; number++) {
      same(await eventually(() => asking.ask(2, 0, question(number))), answerTo(number));
    }
  },

  "a late answer does no harm, and others do not wait for it": async (network) => {
    const asking = await network.start(1, echo);
    const held = gate();
    await network.start(2, async (_shard, request) => {
      const number = numberIn(request);
      if (number === 0) await held.opened;
      return answerTo(number);
    });
    let isLate = true;
    const late = asking.ask(2, 0, question(0)).then((answer) => {
      isLate = false;
      return answer;
    });
    for (let number = 1; number < 50; number++) {
      same(await asking.ask(2, 0, question(number)), answerTo(number));
    }
    assert.equal(isLate, true);
    held.open();
    same(await late, answerTo(0));
  },

  "what fails at the node that is asked is told, and it goes on": async (network) => {
    const asking = await network.start(1, echo);
    await network.start(2, async (shard, request) => {
      if (numberIn(request) === 0) throw new Error("the disk is on fire");
      return echo(shard, request);
    });
    const failed = await asking.ask(2, 0, question(0)).catch(() => undefined);
    assert.ok(failed === undefined || failed.kind === "unavailable", "an answer out of nothing");
    same(await asking.ask(2, 0, question(1)), answerTo(1));
  },
};

/** A transport may take a while to find a node again; until then it says so at once, and is asked again. */
async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      return await attempt();
    } catch (error) {
      if (i >= 1000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
