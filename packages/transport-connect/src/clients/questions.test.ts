import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TransportError } from "../errors.ts";
import {
  DescribeResponseSchema,
  type Question,
  type Reply,
  ReplySchema,
} from "../gen/khonsu/client/v1/client_pb.ts";
import { Questions } from "./questions.ts";

const asked = { case: "coordinator", value: new Uint8Array(1) } as const;

function open(questionsMax: number, waitsMax: number) {
  const sent: { question: Question; isWait: boolean }[] = [];
  const limits = create(DescribeResponseSchema, { questionsMax, waitsMax, questionBytesMax: 1000 });
  const questions = new Questions(limits, (question, _, isWait) => sent.push({ question, isWait }));
  return { questions, sent };
}

const reply = (number: number, kind: "answer" | "part", ...bytes: number[]): Reply =>
  create(ReplySchema, { number, reply: { case: kind, value: Uint8Array.from(bytes) } });

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
    const answers = kinds.map((isWait) => questions.ask(asked, 1, isWait, () => {}));
    const numbers: number[] = [];
    for (let step = 0; sent.length > 0; step++) {
      for (const isWait of [false, true]) {
        const most = isWait ? waitsMax : questionsMax;
        expect(sent.filter((each) => each.isWait === isWait).length).toBeLessThanOrEqual(most);
      }
      const { number } = sent.splice(order[step]! % sent.length, 1)[0]!.question;
      expect(numbers).not.toContain(number);
      numbers.push(number);
      for (let part = 0; part < parts[step]!; part++) questions.onReply(reply(number, "part", part));
      questions.onReply(reply(number, "answer", number));
      // Once more: nobody is there any more.
      questions.onReply(reply(number, "answer", 99));
    }
    const got = await Promise.all(answers);
    expect(got.map((bytes) => bytes.at(-1)).sort((a, b) => a! - b!)).toEqual(numbers.sort((a, b) => a - b));
    expect(questions.underWay).toBe(0);
  });
  return fc.assert(property, { numRuns: 300 });
});

test("an answer that begins again forgets the parts from before", async () => {
  const { questions, sent } = open(1, 1);
  const answer = questions.ask(asked, 1, true, () => {});
  const { number } = sent[0]!.question;
  questions.onReply(reply(number, "part", 1));
  questions.restart(number);
  questions.onReply(reply(number, "part", 2));
  questions.onReply(reply(number, "answer", 3));
  expect(await answer).toEqual(Uint8Array.of(2, 3));
});

test("the end rejects what is under way, what waits, and what comes later; who waits was not sent", async () => {
  const { questions } = open(1, 1);
  const sent: number[] = [];
  const answers = [0, 1].map((i) => questions.ask(asked, 1, false, () => sent.push(i)));
  const reason = new TransportError("KHONSU_PEER_UNREACHABLE", "gone");
  questions.end(reason);
  answers.push(questions.ask(asked, 1, false, () => sent.push(2)));
  for (const answer of answers) await expect(answer).rejects.toBe(reason);
  expect(sent).toEqual([0]);
});

test("a question that the node would not take is refused before it is sent", async () => {
  const { questions, sent } = open(1, 1);
  const large = questions.ask(asked, 1001, false, () => {});
  await expect(large).rejects.toMatchObject({ code: "KHONSU_FRAME_TOO_LARGE" });
  expect(sent).toEqual([]);
});
