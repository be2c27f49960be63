/** The codecs by hand against the code that is generated from `proto/`, which is the definition: the same bytes for every message. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command } from "../../test/arbitraries.ts";
import * as checkpoints from "../../test/generated/checkpoint-codec.ts";
import * as commands from "../../test/generated/command-codec.ts";
import * as coordinator from "../../test/generated/coordinator-codec.ts";
import * as requests from "../../test/generated/request-codec.ts";
import {
  commitResult,
  coordinatorRequest,
  shardAnswer,
  shardRequest,
} from "../../test/message-arbitraries.ts";
import { ShardDriver } from "../../test/shard-driver.ts";
import { ClusterError } from "../errors.ts";
import { encodeCheckpoint } from "./checkpoint-codec.ts";
import { decodeCommand, encodeCommand } from "./command-codec.ts";
import { encodeCommitResult, encodeCoordinatorRequest } from "./coordinator-codec.ts";
import { encodeShardAnswer, encodeShardRequest } from "./request-codec.ts";

function assertAlike<T>(
  messages: fc.Arbitrary<T>,
  byHand: (message: T) => Uint8Array,
  generated: (message: T) => Uint8Array,
): void {
  const property = fc.property(messages, (message) => {
    expect(Buffer.from(byHand(message)).toString("hex")).toBe(
      Buffer.from(generated(message)).toString("hex"),
    );
  });
  fc.assert(property, { numRuns: 2000 });
}

describe("the bytes are those of the generated code", () => {
  test("commands", () => assertAlike(command, encodeCommand, commands.encodeCommand));
  test("requests", () => assertAlike(shardRequest, encodeShardRequest, requests.encodeShardRequest));
  test("answers", () => assertAlike(shardAnswer, encodeShardAnswer, requests.encodeShardAnswer));
  test("commits", () =>
    assertAlike(coordinatorRequest, encodeCoordinatorRequest, coordinator.encodeCoordinatorRequest));
  test("results", () => assertAlike(commitResult, encodeCommitResult, coordinator.encodeCommitResult));
});

test("the bytes of a checkpoint are those of the generated code, values larger than a piece among them", () => {
  const shard = new ShardDriver(1);
  const commits = fc.array(
    fc.record({ key: fc.constantFrom("a", "b", "\u{1F600}"), size: fc.constantFrom(0, 40, 17_000, 40_000) }),
    { minLength: 1, maxLength: 8 },
  );
  const property = fc.property(commits, (each) => {
    for (const { key, size } of each) shard.commit({ puts: { [key]: "x".repeat(size) } });
    shard.commit({ deletes: ["b"] });
    shard.commit({ rows: { log: [1] } });
    const checkpoint = shard.machine.checkpoint();
    const [mine, theirs] = [
      encodeCheckpoint(checkpoint, 9000),
      checkpoints.encodeCheckpoint(checkpoint, 9000),
    ];
    expect(Buffer.concat([...mine]).equals(Buffer.concat([...theirs]))).toBe(true);
  });
  fc.assert(property, { numRuns: 20 });
});

/** What generated code would merge, or take the last of: nobody is to read it in two ways. */
test("a field that stands there twice is refused, wherever it stands", () => {
  const twice = (bytes: readonly number[]) => Uint8Array.from([...bytes, ...bytes]);
  const advance = [0x2a, 2, 0x08, 1];
  const id = [0x0a, 2, 0x08, 1];
  const messages = [
    twice(advance),
    Uint8Array.from([0x2a, 4, 0x08, 1, 0x08, 1]),
    Uint8Array.from([...advance, 0x32, 2, 0x08, 1]),
    Uint8Array.from([0x22, 8, ...id, ...id]),
    Uint8Array.from([0x1a, 12, ...id, 0x12, 6, 0x1a, 0, 0x1a, 0, 0x1a, 0]),
  ];
  for (const bytes of messages) {
    const failure = caught(() => decodeCommand(bytes));
    expect(failure).toBeInstanceOf(ClusterError);
    expect(failure).toHaveProperty("code", "KHONSU_ENTRY_MALFORMED");
    expect(failure).toHaveProperty("message", expect.stringMatching(/twice|two things/));
  }
});

function caught(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}
