import { expect, test } from "vitest";
import type { Request } from "./message.ts";
import { checkRequest } from "./request-check.ts";

type SomeRequest = Request<string, number, string>;

const id = { birth: 1, random: 2, home: 0 };
const prepare = (participants: number[]): SomeRequest => ({
  kind: "prepare",
  id,
  participants,
  request: "w",
});
const expired: SomeRequest = { kind: "decide", id, outcome: { kind: "expired" } };
const acknowledge: SomeRequest = { kind: "acknowledge", id, participants: [1] };

test.each<[string, number, SomeRequest]>([
  ["a prepare of another transaction's participants", 2, prepare([0, 1])],
  ["a prepare without home", 1, prepare([1, 2])],
  ["a prepare with a participant twice", 0, prepare([0, 0])],
  ["a prepare in another order", 0, prepare([1, 0])],
  ["a prepare with a participant that is no integer", 0, prepare([0, 0.5])],
  ["a prepare at home", 0, prepare([0, 1])],
  [
    "a commit with a participant twice",
    0,
    { kind: "commit", id, participants: [0, 0], request: "w", votes: 1 },
  ],
  ["a prepare without participants", 0, prepare([])],
  [
    "a one-participant commit away from home",
    1,
    { kind: "commit", id, participants: [0], request: "w", votes: undefined },
  ],
  ["an acknowledgement away from home", 1, acknowledge],
  ["expired as home's decision", 0, expired],
  ["a malformed id", 0, { kind: "inquire", id: { ...id, birth: -1 } }],
])("refuses %s", (_, self, request) => {
  expect(() => checkRequest(self, request)).toThrow(RangeError);
});

test.each<[number, SomeRequest]>([
  [1, prepare([0, 1])],
  [0, { kind: "commit", id, participants: [0, 1], request: "w", votes: 1 }],
  [0, { kind: "commit", id, participants: [0], request: "w", votes: undefined }],
  [1, expired],
  [0, acknowledge],
  [1, { kind: "inquire", id }],
])("lets pass at %i %j", (self, request) => {
  expect(() => checkRequest(self, request)).not.toThrow();
});
