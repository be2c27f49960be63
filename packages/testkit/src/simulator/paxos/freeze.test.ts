import { expect, test } from "vitest";
import { deepFreeze } from "./freeze.ts";

test("all that a value holds is frozen, bytes excepted", () => {
  const value = deepFreeze({ list: [{ deep: 1 }], bytes: Uint8Array.of(1) });
  expect(() => {
    (value.list[0] as { deep: number }).deep = 2;
  }).toThrowError(TypeError);
  expect(() => value.list.push({ deep: 3 })).toThrowError(TypeError);
  value.bytes[0] = 9;
  expect(value.bytes[0]).toBe(9);
});
