import type { DataType, RecordBatch } from "apache-arrow";
import * as arrow from "apache-arrow";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toRecordBatch } from "../../src/table/batch-input.ts";
import { concatBatches } from "../../src/table/concat.ts";
import { batchOfColumns, columnsOf } from "./batches.ts";
import { buildData, buildSliced } from "./build-data.ts";
import { randomModels } from "./models.ts";
import { Random } from "./random.ts";
import { NESTED_TYPES, randomType, SCALAR_TYPES, TYPE_CASES } from "./types.ts";

test("every type of apache-arrow has a case", () => {
  const { DataType } = arrow;
  const classes = Object.entries(arrow).filter(
    ([, value]) => typeof value === "function" && value.prototype instanceof DataType,
  );
  const covered = new Set([...Object.keys(SCALAR_TYPES), ...Object.keys(NESTED_TYPES)]);
  expect(classes.map(([name]) => name).filter((name) => !covered.has(name))).toEqual([]);
  expect(classes).toHaveLength(covered.size);
});

describe.each(TYPE_CASES)("concat of $name", ({ make }) => {
  function inputs(random: Random, type: DataType, counts: readonly number[]): RecordBatch[] {
    return counts.map((count) => {
      const models = randomModels(type, count, random);
      const data = random.chance()
        ? buildData(type, models, random)
        : buildSliced(type, models, random, randomModels(type, 1 + random.below(9), random));
      return batchOfColumns([data]);
    });
  }

  test("keeps every row of whole, sliced and empty batches in order", () => {
    for (let seed = 0; seed < 20; seed++) {
      const random = new Random(seed);
      const sources = inputs(random, make(), [random.below(20), 0, random.below(70), 3]);
      const result = concatBatches(sources);
      expect(columnsOf(result), `seed ${seed}`).toEqual([sources.flatMap((source) => columnsOf(source)[0]!)]);
      expect(result.data.children[0]!.offset).toBe(0);
      expect(() => toRecordBatch(result)).not.toThrow();
    }
  });
});

test("concat keeps every row of random nested schemas and random slices", { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(fc.noBias(fc.integer()), (seed) => {
      const random = new Random(seed);
      const types = Array.from({ length: 1 + random.below(3) }, () => randomType(random, 3));
      const sources = Array.from({ length: 2 + random.below(3) }, () => {
        const count = random.below(12);
        const padding = random.below(5);
        return batchOfColumns(
          types.map((type) =>
            buildSliced(type, randomModels(type, count, random), random, randomModels(type, padding, random)),
          ),
        );
      });
      const result = concatBatches(sources);
      expect(columnsOf(result)).toEqual(
        types.map((_, i) => sources.flatMap((source) => columnsOf(source)[i]!)),
      );
    }),
    { numRuns: 300 },
  );
});
