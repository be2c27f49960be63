import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { toConnectError } from "./refusal.ts";

test("a client that has gone away is no failure of the node, and what nobody expected is", () => {
  const told: unknown[] = [];
  const gone = toConnectError(new DOMException("gone", "AbortError"), (error) => told.push(error));
  expect(gone.code).toBe(Code.Canceled);
  expect(told).toEqual([]);
  const fault = new TypeError("x is not a function");
  toConnectError(fault, (error) => told.push(error));
  expect(told).toEqual([fault]);
});
