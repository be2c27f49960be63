/**
 * Golden vectors: results that no version and no platform may change, since data lies where they say. A difference
 * here is a fault or a new major version with a way to move the data; `golden/write.ts` is for that alone.
 */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { goldenVectors } from "./golden/vectors.ts";

test("HR-1: tokens, shards, preference lists and placements are those of the recorded vectors", () => {
  const recorded: unknown = JSON.parse(
    readFileSync(new URL("./golden/vectors.json", import.meta.url), "utf8"),
  );
  expect(goldenVectors()).toEqual(recorded);
});
