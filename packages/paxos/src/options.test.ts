import { expect, test } from "vitest";
import { DEFAULT_LIMITS, type ReplicaOptions, resolveOptions } from "./options.ts";
import { replicaId } from "./replica-id.ts";

const base: ReplicaOptions = { self: replicaId(1), seed: 1, start: { kind: "join" } };

test("defaults fill in what is not given", () => {
  const options = resolveOptions({ ...base, batchEntriesMax: 7 });
  expect(options).toMatchObject({ ...DEFAULT_LIMITS, batchEntriesMax: 7, priority: 0 });
  expect(options.lease).toEqual({ leaseTicks: 0, clockDriftMax: 0.1 });
});

test.each<[string, Partial<ReplicaOptions>]>([
  ["electionTimeoutTicks", { electionTimeoutTicks: 3 }],
  ["batchEntriesMax", { batchEntriesMax: 0 }],
  ["chunkBytes", { chunkBytes: 1.5 }],
  ["retainEntries", { retainEntries: -1 }],
  ["priority", { priority: -1 }],
  ["seed", { seed: Number.NaN }],
  ["lease.leaseTicks", { lease: { leaseTicks: -1 } }],
  ["lease.clockDriftMax", { lease: { clockDriftMax: Number.NaN } }],
])("a wrong %s is refused by name", (name, options) => {
  expect(() => resolveOptions({ ...base, ...options })).toThrow(
    expect.objectContaining({ code: "KHONSU_INVALID_OPTION", message: expect.stringContaining(name) }),
  );
});
