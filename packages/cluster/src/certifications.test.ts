import type { CommitTimestamp } from "@khonsu/core/isolation";
import { expect, test } from "vitest";
import { ManualRuntime } from "../test/manual-runtime.ts";
import { type Certification, Certifications } from "./certifications.ts";
import { encodeCommand } from "./codec/command-codec.ts";
import type { Command } from "./shard/command.ts";
import type { ShardTransaction, Write } from "./shard/transaction.ts";
import { ShardLog } from "./shard-log.ts";

const LOCK_MS = 100;
const NONE = 0 as CommitTimestamp;

function writing(key: string): ShardTransaction {
  const write: Write = {
    key,
    operation: { kind: "delete" },
    onConflict: "fail",
    baseline: undefined,
    mergeBy: undefined,
    isConditional: false,
  };
  const none = { snapshot: NONE, proposed: NONE, observed: NONE, reads: [], ranges: [], readBack: [] };
  return { isolation: "serializable", ...none, writes: [write] };
}

const committing = (birth: number, key = "k"): Certification => ({
  kind: "commit",
  id: { birth, random: 0, home: 0 },
  participants: [0],
  request: writing(key),
  votes: undefined,
});

const preparing = (birth: number, key = "k"): Certification => ({
  kind: "prepare",
  id: { birth, random: 0, home: 1 },
  participants: [0, 1],
  request: writing(key),
});

/** A shard whose log takes what it is given once `flush` is called. */
function setUp() {
  const log = new ShardLog(0, () => {});
  const runtime = new ManualRuntime();
  const proposed: { readonly command: Uint8Array; readonly resolve: (applied: unknown) => void }[] = [];
  const consensus = {
    propose: (command: Uint8Array) =>
      new Promise<unknown>((resolve) => {
        proposed.push({ command, resolve });
      }),
    readBarrier: async () => {},
    status: () => ({ isLeader: true, leader: 1, applied: 0 }),
  };
  const certifications = new Certifications({ log, consensus, runtime, lockMs: LOCK_MS });
  let index = 0;
  const apply = (command: Command) => log.apply(++index, encodeCommand(command));
  const flush = async () => {
    await runtime.pass(0);
    for (const { command, resolve } of proposed.splice(0)) resolve(log.apply(++index, command));
    await runtime.pass(0);
  };
  const abort = ({ id }: Certification) =>
    apply({ kind: "decide", id, outcome: { kind: "aborted", reason: { kind: "recovery" } } });
  return { certifications, proposed, runtime, apply, flush, abort };
}

test("what is asked for twice while it is under way is proposed once", async () => {
  const { certifications, proposed, runtime, flush } = setUp();
  const both = [certifications.submit(committing(1)), certifications.submit(committing(1))];
  await runtime.pass(0);
  expect(proposed).toHaveLength(1);
  await flush();
  expect(await Promise.all(both)).toMatchObject([{ kind: "committed" }, { kind: "committed" }]);
});

test("what waits for a leader is proposed once, however often it is asked for again meanwhile", async () => {
  const { certifications, proposed, runtime } = setUp();
  for (let asked = 0; asked < 8; asked++) {
    void certifications.submit(committing(1));
    await runtime.pass(600);
  }
  expect(proposed).toHaveLength(1);
});

test("what is not answered for long is proposed again when it is asked for again", async () => {
  const { certifications, proposed, runtime } = setUp();
  void certifications.submit(committing(1));
  await runtime.pass(5100);
  void certifications.submit(committing(1));
  await runtime.pass(0);
  expect(proposed).toHaveLength(2);
});

test.each([
  ["a commit waits for an older holder", committing(2)],
  ["a commit waits for a younger holder, since nobody waits for it", committing(0)],
  ["a prepare waits for an older holder", preparing(2)],
])("%s and is certified once that is decided", async (_, waiting) => {
  const { certifications, proposed, runtime, apply, flush, abort } = setUp();
  const holder = preparing(1);
  apply(holder);
  const answer = certifications.submit(waiting);
  await runtime.pass(LOCK_MS - 1);
  expect(proposed).toEqual([]);
  abort(holder);
  await flush();
  expect((await answer).kind).toBe(waiting.kind === "commit" ? "committed" : "prepared");
});

// TX-7: the bounded wait changes when a transaction is certified and not how.
test("a prepare does not wait for a younger holder, which may wait for it elsewhere", async () => {
  const { certifications, apply, flush } = setUp();
  apply(preparing(2));
  const answer = certifications.submit(preparing(1));
  await flush();
  expect(await answer).toMatchObject({ kind: "aborted", reason: { reason: { kind: "busy" } } });
});

test("whoever has waited long enough is refused as ever", async () => {
  const { certifications, proposed, runtime, apply, flush } = setUp();
  apply(preparing(1));
  const answer = certifications.submit(committing(2));
  await runtime.pass(LOCK_MS);
  expect(proposed).toHaveLength(1);
  await flush();
  expect(await answer).toMatchObject({ kind: "aborted", reason: { reason: { kind: "busy" } } });
});

test("what is known already is not kept waiting", async () => {
  const { certifications, apply, flush } = setUp();
  apply(preparing(1));
  const answer = certifications.submit(preparing(1));
  await flush();
  expect((await answer).kind).toBe("prepared");
});
