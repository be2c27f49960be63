/** Images of a shard are of the moment when they were asked for, whenever their pieces are taken. */
import { expect, test } from "vitest";
import { ShardDriver } from "../test/shard-driver.ts";
import { encodeCommand } from "./codec/command-codec.ts";
import { stateHash } from "./index.ts";
import { ShardLog } from "./shard-log.ts";

test("what is applied while the pieces of an image are taken does not show in it", () => {
  const driver = new ShardDriver(0);
  const log = new ShardLog(0, () => {});
  let index = 0;
  const commit = (puts: Readonly<Record<string, string>>, deletes: readonly string[] = []) => {
    driver.machine = log.machine;
    const id = { birth: ++index, random: 0, home: 0 };
    const request = driver.requestOf({ puts, deletes });
    log.apply(index, encodeCommand({ kind: "commit", id, participants: [0], request, votes: undefined }));
  };
  for (let i = 0; i < 5; i++) commit({ [`key/${i}`]: "x".repeat(100_000), common: `${i}` });
  const then = stateHash(log.machine);
  const pieces: Uint8Array[] = [];
  for (const piece of log.save()) {
    pieces.push(piece);
    commit({ common: "later", [`new/${pieces.length}`]: "1" }, [`key/${5 - pieces.length}`]);
    log.apply(++index, encodeCommand({ kind: "floors", gcFloor: log.machine.clock, idFloor: index }));
    log.machine.versions.purge(1000);
  }
  expect(pieces.length).toBeGreaterThan(1);
  const restored = new ShardLog(0, () => {});
  restored.restore(Buffer.concat(pieces));
  expect(stateHash(restored.machine)).toBe(then);
  expect(stateHash(log.machine)).not.toBe(then);
});
