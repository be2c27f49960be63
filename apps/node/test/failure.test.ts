import { expect, test } from "vitest";
import { CommandError, describeFailure } from "../src/failure.ts";

test("an error is told with its code and its causes, each once", () => {
  const refused = new Error("connect ECONNREFUSED 127.0.0.1:1");
  const unreachable = new Error("Cannot reach the node: connect ECONNREFUSED 127.0.0.1:1", {
    cause: refused,
  });
  const disk = new Error("the disk is full", { cause: unreachable });
  const error = new CommandError("It cannot be done", { code: "KHONSU_UNAVAILABLE", cause: disk });
  expect(describeFailure(error)).toBe(
    "KHONSU_UNAVAILABLE: It cannot be done\n  the disk is full\n  Cannot reach the node: connect ECONNREFUSED 127.0.0.1:1",
  );
});

test("an error without a code that is for nobody's eyes comes with its stack", () => {
  const error = new TypeError("x is not a function");
  expect(describeFailure(error)).toBe(error.stack);
  expect(describeFailure(Object.assign(new Error("gone"), { code: "ENOENT" }))).toContain("at ");
  expect(describeFailure("thrown")).toBe("thrown");
});
