import fc from "fast-check";
import { expect, test } from "vitest";
import { assertNothingElse, damage, damaged } from "../../test/damage.ts";
import { commitResult, coordinatorRequest } from "../../test/message-arbitraries.ts";
import {
  decodeCommitResult,
  decodeCoordinatorRequest,
  encodeCommitResult,
  encodeCoordinatorRequest,
} from "./coordinator-codec.ts";

test("every request comes back as it was, and with the same bytes", () => {
  const property = fc.property(coordinatorRequest, (before) => {
    const bytes = encodeCoordinatorRequest(before);
    const after = decodeCoordinatorRequest(bytes);
    expect(after).toEqual(before);
    expect(encodeCoordinatorRequest(after)).toEqual(bytes);
  });
  fc.assert(property, { numRuns: 1000 });
});

test("every result comes back as it was", () => {
  const property = fc.property(commitResult, (before) => {
    expect(decodeCommitResult(encodeCommitResult(before))).toEqual(before);
  });
  fc.assert(property, { numRuns: 1000 });
});

test("the order in which participants are given does not show in the bytes", () => {
  const property = fc.property(coordinatorRequest, (each) => {
    if (each.kind !== "commit") return;
    const reversed = { ...each, requests: new Map([...each.requests].reverse()) };
    expect(encodeCoordinatorRequest(reversed)).toEqual(encodeCoordinatorRequest(each));
  });
  fc.assert(property);
});

test("damaged and random bytes give one error, or a message that is well-formed", () => {
  const noise = fc.uint8Array({ maxLength: 60 });
  const requests = fc
    .tuple(coordinatorRequest, damage)
    .map(([each, how]) => damaged(encodeCoordinatorRequest(each), how));
  expect(
    assertNothingElse(fc.oneof(requests, noise), encodeCoordinatorRequest, decodeCoordinatorRequest),
  ).toBeGreaterThan(0);
  const results = fc.tuple(commitResult, damage).map(([each, how]) => damaged(encodeCommitResult(each), how));
  expect(assertNothingElse(fc.oneof(results, noise), encodeCommitResult, decodeCommitResult)).toBeGreaterThan(
    0,
  );
});

const id = { birth: 1, random: 2, home: 3 };

test.each([
  ["a recovery without home", { kind: "recover", id, participants: [1, 2] }],
  ["participants that do not rise", { kind: "recover", id, participants: [3, 1] }],
  ["a commit without parts", { kind: "commit", id, requests: new Map() }],
] as const)("refused: %s", (_, wrong) => {
  expect(() => decodeCoordinatorRequest(encodeCoordinatorRequest(wrong))).toThrow(
    expect.objectContaining({ code: "KHONSU_REQUEST_MALFORMED" }),
  );
});
