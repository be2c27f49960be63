/** Commits on a storage: groups in commit order, what is acknowledged when, and what a failure leaves. */
import { expect, test } from "vitest";
import {
  type CommitRecord,
  Khonsu,
  MemoryStorage,
  type Mutation,
  type Storage,
  type Transaction,
} from "../src/index.ts";
import { rows, valuesIn } from "./batches.ts";
import { HandDrivenStorage } from "./hand-driven-storage.ts";
import { settle } from "./virtual-runtime.ts";

const put = (db: Khonsu, key: string, value: number) => db.transact((tx) => tx.write(key, rows(value)));

/** What has settled so far, and how. */
function outcomes(promises: readonly Promise<unknown>[]): string[] {
  const seen = promises.map(() => "waits");
  for (const [index, promise] of promises.entries()) {
    promise.then(
      () => {
        seen[index] = "acknowledged";
      },
      (error: { code: string }) => {
        seen[index] = error.code;
      },
    );
  }
  return seen;
}

test("commits of one turn go out together, those of a write under way gather for the next", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const seen = outcomes([put(db, "a", 1), put(db, "b", 2)]);
  await settle();
  const later = outcomes([put(db, "a", 3), put(db, "c", 4), put(db, "b", 5)]);
  await settle();
  expect(storage.groups).toEqual([[1, 2]]);
  expect([...seen, ...later]).toEqual(["waits", "waits", "waits", "waits", "waits"]);
  storage.complete();
  await settle();
  expect(seen).toEqual(["acknowledged", "acknowledged"]);
  expect(later).toEqual(["waits", "waits", "waits"]);
  expect(storage.groups).toEqual([
    [1, 2],
    [3, 4, 5],
  ]);
  expect(db.stats()).toMatchObject({ lastCommit: 5, durable: 2 });
  storage.complete();
  await settle();
  expect(later).toEqual(["acknowledged", "acknowledged", "acknowledged"]);
  expect(db.stats().durable).toBe(5);
});

test("a commit is visible to others before it is durable, and theirs waits for it", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const writer = put(db, "a", 1);
  await settle();
  const seen: number[][] = [];
  const bodies = [
    db.transact((tx) => seen.push([...valuesIn(tx.read("a"))])),
    db.transact((tx) => seen.push([...valuesIn(tx.read("a"))]), { readOnly: true }),
    db.transact((tx) => seen.push([...valuesIn(tx.read("a"))]), { isolation: "read-committed" }),
    db.transact((tx) => seen.push([...valuesIn(tx.read("a"))]), { deferrable: true }),
  ];
  const ends = outcomes(bodies);
  await settle();
  expect(seen).toEqual([[1], [1], [1], [1]]);
  expect(ends).toEqual(["waits", "waits", "waits", "waits"]);
  storage.complete();
  await Promise.all([writer, ...bodies]);
});

test("a read-only commit does not wait for what came after its snapshot", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const reader = db.begin({ readOnly: true });
  const writer = put(db, "a", 1);
  await settle();
  expect(reader.read("a")).toBeUndefined();
  expect(await reader.commit()).toBe(0);
  storage.complete();
  await writer;
});

test("under read committed, a commit waits for the newest that it may have read", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const reader = db.begin({ isolation: "read-committed" });
  const writer = put(db, "a", 1);
  await settle();
  expect(valuesIn(reader.read("a"))).toEqual([1]);
  const seen = outcomes([reader.commit()]);
  await settle();
  expect(seen).toEqual(["waits"]);
  storage.complete();
  await settle();
  expect(seen).toEqual(["acknowledged"]);
  await writer;
});

test("commit hooks run once the commit is durable", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const ran: unknown[] = [];
  const tx = db.begin();
  tx.write("a", rows(1));
  tx.onCommit((timestamp) => ran.push(timestamp, tx.status));
  const commit = tx.commit();
  await settle();
  expect([tx.status, ...ran]).toEqual(["committing"]);
  storage.complete();
  expect(await commit).toBe(1);
  expect(ran).toEqual([1, "committed"]);
});

test("a failed write refuses all that wait, and the store serves nothing any more", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const durable = put(db, "a", 1);
  await settle();
  storage.complete();
  await durable;
  const open = db.begin();
  const reader = db.begin({ readOnly: true });
  const waiting = [put(db, "a", 2), put(db, "b", 3), db.transact((tx) => tx.read("a"))];
  await settle();
  waiting.push(put(db, "c", 4));
  const seen = outcomes(waiting);
  await settle();
  storage.fail(new Error("disk full"));
  await Promise.allSettled(waiting);
  expect(seen).toEqual(waiting.map(() => "KHONSU_STORAGE_FAILED"));
  await expect(waiting[0]).rejects.toMatchObject({ retryable: false, cause: { message: "disk full" } });
  const failed = expect.objectContaining({ code: "KHONSU_STORAGE_FAILED" });
  const uses: ((tx: Transaction) => unknown)[] = [
    (tx) => tx.read("a"),
    (tx) => tx.has("a"),
    (tx) => tx.scan(),
    (tx) => tx.version("a"),
  ];
  for (const tx of [open, reader]) for (const use of uses) expect(() => use(tx)).toThrow(failed);
  await expect(open.commit()).rejects.toEqual(failed);
  expect(() => db.begin()).toThrow(failed);
  expect(() => db.watch()).toThrow(failed);
  await expect(db.transact(() => 1)).rejects.toEqual(failed);
  await expect(db.beginDeferrable()).rejects.toEqual(failed);
  expect(storage.groups).toEqual([[1], [2, 3]]);
  await db.close();
  expect(storage.isClosed).toBe(true);
});

test("closing waits for the commits under way, and for nothing else", async () => {
  const storage = new HandDrivenStorage();
  const db = await Khonsu.open({ storage });
  const open = db.begin();
  open.write("b", rows(2));
  const commit = put(db, "a", 1);
  const closed = db.close();
  expect(db.close()).toBe(closed);
  await settle();
  expect(storage.isClosed).toBe(false);
  storage.complete();
  await commit;
  await closed;
  expect(storage.isClosed).toBe(true);
  await expect(open.commit()).rejects.toMatchObject({ code: "KHONSU_STORE_CLOSED" });
  expect(storage.groups).toEqual([[1]]);
});

function describe(mutation: Mutation): string {
  if (mutation.kind === "delete") return `delete ${mutation.key}`;
  return `${mutation.kind} ${mutation.key} ${mutation.chunks.flatMap((chunk) => valuesIn(chunk)).join("+")}`;
}

test("a storage gets what each commit changed, and only rows that were added where only those were", async () => {
  const commits: string[][] = [];
  const write = (group: readonly CommitRecord[]) => {
    for (const { mutations } of group) commits.push(mutations.map(describe));
  };
  await using db = await Khonsu.open({ storage: { write }, keyColumn: null });
  await put(db, "a", 1);
  await db.transact((tx) => tx.append("a", rows(2, 3)));
  await db.transact((tx) => tx.append("new", rows(4)));
  await db.transact((tx) => {
    tx.append("a", rows(5));
    tx.delete("new");
    tx.ensure("other");
  });
  const dropped = db.begin({ onConflict: "ignore" });
  dropped.write("a", rows(0));
  dropped.write("c", rows(6));
  await put(db, "a", 7);
  await dropped.commit();
  await db.transact((tx) => tx.read("a"));
  expect(commits).toEqual([
    ["put a 1"],
    ["append a 2+3"],
    ["put new 4"],
    ["append a 5", "delete new"],
    ["put a 7"],
    ["put c 6"],
  ]);
});

async function contentsOf(storage: Storage): Promise<Record<string, readonly number[]>> {
  const db = await Khonsu.open({ storage });
  const contents = await db.transact((tx) => [...tx.scan()].map(([key, batch]) => [key, valuesIn(batch)]));
  await db.close();
  return Object.fromEntries(contents);
}

test("a store that is opened again has what it had, its timestamps go on, and versions are kept", async () => {
  const storage = new MemoryStorage();
  const db = await Khonsu.open({ storage });
  await put(db, "a", 1);
  await put(db, "b", 2);
  await db.transact((tx) => tx.append("a", rows(3), { keyColumn: null }));
  await db.transact((tx) => tx.delete("b"));
  await db.close();
  expect(await contentsOf(storage)).toEqual({ a: [1, 3] });
  const again = await Khonsu.open({ storage });
  expect(again.stats()).toMatchObject({ lastCommit: 4, durable: 4, keys: 1, versions: 1 });
  const tx = again.begin();
  expect(tx.version("a")).toBe(3);
  tx.write("a", rows(9), { ifVersion: tx.version("a") });
  expect(await tx.commit()).toBe(5);
});

/** Fails the n-th write, with the group not written, written, or only its first commit. */
class FailingStorage implements Storage {
  readonly inner = new MemoryStorage();
  readonly #failsAt: number;
  readonly #keeps: "nothing" | "the first" | "everything";
  #writes = 0;

  constructor(failsAt: number, keeps: "nothing" | "the first" | "everything") {
    this.#failsAt = failsAt;
    this.#keeps = keeps;
  }

  write(commits: readonly CommitRecord[]): void {
    if (++this.#writes < this.#failsAt) {
      this.inner.write(commits);
      return;
    }
    if (this.#keeps === "everything") this.inner.write(commits);
    if (this.#keeps === "the first") this.inner.write(commits.slice(0, 1));
    throw new Error("disk full");
  }
}

const FAILURES = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((failsAt) =>
  (["nothing", "the first", "everything"] as const).map((keeps) => ({ failsAt, keeps })),
);

test.each(FAILURES)(
  "write $failsAt fails and keeps $keeps: what was acknowledged is there, in order",
  async ({ failsAt, keeps }) => {
    const storage = new FailingStorage(failsAt, keeps);
    const db = await Khonsu.open({ storage });
    const acknowledged: number[] = [];
    const attempted: number[] = [];
    for (let group = 0; group < 8; group++) {
      const commits = [0, 1, 2].map(async (each) => {
        const value = group * 3 + each;
        attempted.push(value);
        await db.transact((tx) => {
          tx.write(`key/${String(value).padStart(2, "0")}`, rows(value));
          tx.write("newest", rows(value));
        });
        acknowledged.push(value);
      });
      await Promise.allSettled(commits);
    }
    expect(acknowledged).toEqual(attempted.slice(0, (failsAt - 1) * 3));
    const contents = await contentsOf(storage.inner);
    const { newest, ...rest } = contents;
    const present = Object.values(rest).map(([value]) => value!);
    // A prefix of all commits, each of them whole.
    expect(present).toEqual(attempted.slice(0, present.length));
    expect(newest).toEqual(present.length === 0 ? undefined : [present.length - 1]);
    expect(present.length).toBeGreaterThanOrEqual(acknowledged.length);
  },
);
