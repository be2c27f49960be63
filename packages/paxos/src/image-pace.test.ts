import fc from "fast-check";
import { expect, test } from "vitest";
import { ZERO_BALLOT } from "./ballot.ts";
import { sealCommand } from "./entry.ts";
import { ImagePace, trimmedBelow } from "./image-pace.ts";
import { Log } from "./log.ts";
import { type DEFAULT_LIMITS, resolveOptions } from "./options.ts";
import { replicaId } from "./replica-id.ts";
import { NO_SLOT, type Slot } from "./slot.ts";

const options = (limits: Partial<typeof DEFAULT_LIMITS> = {}) =>
  resolveOptions({ ...limits, self: replicaId(1), start: { kind: "restart" }, seed: 1 });

/** Applies entries of `bytes` each until an image is due, and says how many. */
function untilDue(pace: ImagePace, bytes: number): number {
  for (let applied = 1; ; applied++) {
    pace.onApplied(bytes);
    if (!pace.isDue(false)) continue;
    pace.restart();
    return applied;
  }
}

test("the first image is due after 512 entries, the next once the log since is three times as large as that one", () => {
  const pace = new ImagePace(options());
  expect(untilDue(pace, 100)).toBe(512);
  pace.onImage(60_000);
  expect(untilDue(pace, 100)).toBe(1800);
  pace.onImage(1000);
  expect(untilDue(pace, 100)).toBe(512);
});

test("of a state that grows with all that is written, images have four thirds of the bytes of the log at most", () => {
  const pace = new ImagePace(options());
  let [entries, images] = [untilDue(pace, 100), 0];
  while (entries < 30_000) {
    pace.onImage(100 * entries);
    entries += untilDue(pace, 100);
    images += 100 * entries;
  }
  expect(images).toBeLessThanOrEqual((4 / 3) * 100 * entries);
});

test("the limits ask for an image whatever it costs; while one is made, nothing else does", () => {
  const pace = new ImagePace(options({ checkpointEntries: 600 }));
  pace.onImage(1e9);
  expect(untilDue(pace, 1)).toBe(600);
  const busy = new ImagePace(options());
  for (let i = 0; i < 512; i++) busy.onApplied(1);
  expect([busy.isDue(true), busy.isDue(false)]).toEqual([false, true]);
});

test("below an image is kept what has no more bytes than it, at least 1,024 entries, at most as many as the option says", () => {
  const size = fc.nat(3000);
  fc.assert(
    fc.property(size, fc.nat(3000), fc.nat(200), fc.nat(1500), (last, retainEntries, bytes, trimmed) => {
      const log = new Log(NO_SLOT);
      for (let at = 1; at <= last; at++) {
        const proposal = { client: 1, sequence: at, command: new Uint8Array(10) };
        log.set(at as Slot, ZERO_BALLOT, sealCommand(proposal, at as Slot));
      }
      log.trim(Math.min(trimmed, last) as Slot);
      const imageBytes = bytes * 100;
      const through = trimmedBelow(log, last as Slot, imageBytes, options({ retainEntries }));
      const kept = Math.min(retainEntries, Math.max(1024, Math.floor(imageBytes / 10)));
      expect(through).toBe(Math.max(log.trimmed, last - kept, 0));
    }),
    { numRuns: 200 },
  );
});
