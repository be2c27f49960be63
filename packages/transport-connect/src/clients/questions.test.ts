import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/helpers/manual-clock.ts";
import { TransportError } from "../errors.ts";
import type { Asked } from "./link.ts";
import { Questions } from "./questions.ts";

const LATE_MS = 1000;

const asking = (isWait = false, bytes = 1): Asked => ({
  shard: undefined,
  body: new Uint8Array(bytes),
  patienceMs: 0,
  isWait,
  isSent: false,
});

/** Questions over a link that is nothing but a list, and a clock that passes by hand. */
function open(questionsMax: number, waitsMax: number) {
  const sent: { number: number; isWait: boolean }[] = [];
  const clock = new ManualClock();
  const questions = new Questions({
    address: "a:1",
    limits: { questionsMax, waitsMax, questionBytesMax: 1000 },
    runtime: clock,
    send: (number, { isWait }) => sent.push({ number, isWait }),
  });
  return { questions, sent, clock };
}

const bytesOf = (...bytes: number[]) => Uint8Array.from(bytes);

/** CL-4, CL-5. */
test("each question is answered once, with its own answer, in whatever order and parts; never more are under way than allowed", () => {
  const plan = fc.record({
    kinds: fc.array(fc.boolean(), { minLength: 1, maxLength: 30 }),
    order: fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
    parts: fc.array(fc.nat({ max: 2 }), { minLength: 30, maxLength: 30 }),
    questionsMax: fc.integer({ min: 1, max: 4 }),
    waitsMax: fc.integer({ min: 1, max: 4 }),
  });
  const property = fc.asyncProperty(plan, async ({ kinds, order, parts, questionsMax, waitsMax }) => {
    const { questions, sent } = open(questionsMax, waitsMax);
    const answers = kinds.map((isWait) => questions.ask(asking(isWait), LATE_MS));
    const numbers: number[] = [];
    for (let step = 0; sent.length > 0; step++) {
      for (const isWait of [false, true]) {
        const most = isWait ? waitsMax : questionsMax;
        expect(sent.filter((each) => each.isWait === isWait).length).toBeLessThanOrEqual(most);
      }
      const { number } = sent.splice(order[step]! % sent.length, 1)[0]!;
      expect(numbers).not.toContain(number);
      numbers.push(number);
      for (let part = 0; part < parts[step]!; part++) questions.onPart(number, bytesOf(part));
      questions.onAnswer(number, bytesOf(number));
      // Once more: nobody is there any more.
      questions.onAnswer(number, bytesOf(99));
    }
    const got = await Promise.all(answers);
    expect(got.map((bytes) => bytes.at(-1)).sort((a, b) => a! - b!)).toEqual(numbers.sort((a, b) => a - b));
    expect(questions.underWay).toBe(0);
  });
  return fc.assert(property, { numRuns: 300 });
});

test("an answer that begins again forgets the parts from before", async () => {
  const { questions, sent } = open(1, 1);
  const answer = questions.ask(asking(true), LATE_MS);
  const { number } = sent[0]!;
  questions.onPart(number, bytesOf(1));
  questions.restart(number);
  questions.onPart(number, bytesOf(2));
  questions.onAnswer(number, bytesOf(3));
  expect(await answer).toEqual(bytesOf(2, 3));
});

test("the end rejects what is under way, what waits, and what comes later; who waits was not sent", async () => {
  const { questions } = open(1, 1);
  const asked = [asking(), asking(), asking()];
  const answers = asked.slice(0, 2).map((each) => questions.ask(each, LATE_MS));
  const reason = new TransportError("KHONSU_PEER_UNREACHABLE", "gone");
  questions.end(reason);
  answers.push(questions.ask(asked[2]!, LATE_MS));
  for (const answer of answers) await expect(answer).rejects.toBe(reason);
  expect(asked.map(({ isSent }) => isSent)).toEqual([true, false, false]);
  expect(questions.bytes).toBe(0);
});

test("a question that the node would not take is refused before it is sent", async () => {
  const { questions, sent } = open(1, 1);
  const large = questions.ask(asking(false, 1001), LATE_MS);
  await expect(large).rejects.toMatchObject({ code: "KHONSU_FRAME_TOO_LARGE" });
  expect(sent).toEqual([]);
});

test("each question is late by its own time; one that waits is not sent then, one that was sent counts until it is answered", async () => {
  const { questions, sent, clock } = open(1, 1);
  const asked = [asking(), asking(), asking()];
  const errors: unknown[] = [];
  const settled = asked.map((each, i) =>
    questions.ask(each, [300, 100, 500][i]!).then(
      (answer) => answer,
      (error: { code: string }) => errors.push(`${i} ${error.code}`),
    ),
  );
  clock.pass(100);
  await settled[1];
  expect(errors).toEqual(["1 KHONSU_PEER_TIMEOUT"]);
  clock.pass(200);
  await settled[0];
  expect(errors).toEqual(["1 KHONSU_PEER_TIMEOUT", "0 KHONSU_PEER_TIMEOUT"]);
  expect(sent).toHaveLength(1);
  expect(questions.underWay).toBe(1);
  // What comes after all makes room for the next.
  questions.onPart(sent[0]!.number, bytesOf(1));
  questions.onAnswer(sent[0]!.number, bytesOf(1));
  expect(asked.map(({ isSent }) => isSent)).toEqual([true, false, true]);
  questions.onAnswer(sent[1]!.number, bytesOf(7));
  expect(await settled[2]).toEqual(bytesOf(7));
  expect(questions.bytes).toBe(0);
});

test("a thousand questions that are answered in time take one timer", async () => {
  const { questions, sent, clock } = open(10, 10);
  for (let i = 0; i < 1000; i++) {
    clock.pass(1);
    const answer = questions.ask(asking(), LATE_MS);
    questions.onAnswer(sent[i]!.number, bytesOf(1));
    await answer;
  }
  expect(clock.scheduled).toBeLessThanOrEqual(2);
});
