import { expect, test } from "vitest";
import { isKhonsuError, KhonsuError } from "./errors.ts";

test("an error carries its code, whether a retry helps, its conflicts and its cause", () => {
  const cause = new Error("disk gone");
  const error = new KhonsuError("KHONSU_WRITE_CONFLICT", "Cannot commit", {
    retryable: true,
    cause,
    conflicts: [{ kind: "write-write", key: "a" }],
  });
  expect(error).toMatchObject({
    code: "KHONSU_WRITE_CONFLICT",
    retryable: true,
    cause,
    message: "Cannot commit",
  });
  expect(error.conflicts).toEqual([{ kind: "write-write", key: "a" }]);
});

test("an error is recognised by its code, also when it comes from another copy of the package", () => {
  const foreign = Object.assign(new Error("x"), { code: "KHONSU_TIMEOUT" });
  expect(isKhonsuError(foreign)).toBe(true);
  expect(isKhonsuError(foreign, "KHONSU_TIMEOUT")).toBe(true);
  expect(isKhonsuError(foreign, "KHONSU_ABORTED")).toBe(false);
  expect(isKhonsuError(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe(false);
  expect(isKhonsuError("KHONSU_TIMEOUT")).toBe(false);
});
