import type { CommitTimestamp } from "@khonsu/core/isolation";
import { expect, test } from "vitest";
import type { CommitRequest, ShardAnswer } from "./messages.ts";
import { Participants } from "./participants.ts";
import type { ShardStatus } from "./shard/state-machine.ts";

const ID = { birth: 1, random: 2, home: 3 };
const INQUIRY: CommitRequest = { kind: "inquire", id: ID };
const vote = (timestamp: number): ShardStatus => {
  return { kind: "prepared", value: { timestamp: timestamp as CommitTimestamp, ignored: [] } };
};
const [HERE, LEADER, ROUTED] = [vote(1), vote(2), vote(3)];

interface World {
  /** What the replica here does, if it leads. */
  readonly here?: () => Promise<ShardStatus | undefined>;
  readonly leader?: number;
  readonly answer?: () => Promise<ShardAnswer>;
  readonly route?: () => Promise<ShardStatus>;
}

const TOLD: ShardAnswer = { kind: "status", status: LEADER, clock: 0 as CommitTimestamp };

/** What is told of one question, and who was asked. */
async function ask({ answer, here, leader, route }: World, isAgain = false) {
  const asked: string[] = [];
  const told: ShardStatus[] = [];
  const noting = <T>(name: string, answered: T): T => {
    asked.push(name);
    return answered;
  };
  const participants = new Participants({
    ledHere: () => here && { participate: () => noting("here", here()) },
    leaderOf: () => leader,
    transport: { ask: (node) => noting(`node ${node}`, answer?.() ?? Promise.resolve(TOLD)) },
    router: { askParticipant: () => noting("router", route?.() ?? Promise.resolve(ROUTED)) },
  });
  participants.ask(0, INQUIRY, isAgain, (status) => told.push(status));
  await new Promise(setImmediate);
  return { asked, told };
}

const here = async () => HERE;

test("the replica here is asked if it leads, else the node that is known to lead, else the router", async () => {
  expect(await ask({ here, leader: 2 })).toEqual({ asked: ["here"], told: [HERE] });
  expect(await ask({ leader: 2 })).toEqual({ asked: ["node 2"], told: [LEADER] });
  expect(await ask({})).toEqual({ asked: ["router"], told: [ROUTED] });
});

test("what is asked again goes by the router: the first may never be answered", async () => {
  expect(await ask({ here, leader: 2 }, true)).toEqual({ asked: ["router"], told: [ROUTED] });
});

test("what fails, or is answered with anything but a status, goes by the router as well, and is told once", async () => {
  const fails = async () => Promise.reject(new Error("it leads no more"));
  const unavailable = async (): Promise<ShardAnswer> => ({ kind: "unavailable", message: "not here" });
  const routed = { told: [ROUTED] };
  expect(await ask({ here: fails })).toMatchObject({ asked: ["here", "router"], ...routed });
  expect(await ask({ here: async () => undefined })).toMatchObject({ asked: ["here", "router"], ...routed });
  expect(await ask({ leader: 2, answer: fails })).toMatchObject({ asked: ["node 2", "router"], ...routed });
  expect(await ask({ leader: 2, answer: unavailable })).toMatchObject({
    asked: ["node 2", "router"],
    ...routed,
  });
});

test("where nobody answers, nothing is told", async () => {
  const fails = async () => Promise.reject(new Error("nobody is there"));
  expect(await ask({ here: fails, route: fails })).toEqual({ asked: ["here", "router"], told: [] });
});
