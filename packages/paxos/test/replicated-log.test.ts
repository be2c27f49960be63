import { expect, test } from "vitest";
import { type Envelope, type ReplicaOptions, ReplicatedLog, replicaId } from "../src/index.ts";
import { MemoryDisk } from "../src/testing/index.ts";

const IDS = [1, 2, 3].map((node) => replicaId(node));
const LIMITS: Partial<ReplicaOptions> = { sessionWindow: 4, proposalTimeoutTicks: 20 };

/** Logs of lists in one thread: time moves tick by tick, messages arrive on the next turn unless one end is cut off. */
class World {
  readonly logs = new Map<number, ReplicatedLog>();
  readonly lists = new Map<number, string[]>();
  readonly cut = new Set<number>();
  readonly disks = new Map<number, MemoryDisk>();
  #now = 0;
  #timers: { at: number; callback: () => void }[] = [];
  #draws = 0;

  async open(
    self: (typeof IDS)[number],
    given: { proposeMs?: number; waitingMax?: number } = {},
  ): Promise<void> {
    const list: string[] = [];
    this.lists.set(self, list);
    const disk = this.disks.get(self) ?? new MemoryDisk();
    this.disks.set(self, disk);
    const configuration = { voters: IDS, learners: [], retired: [], quorums: "majority" } as const;
    const log = await ReplicatedLog.open({
      ...given,
      replica: { self, seed: self % 97, start: { kind: "found", configuration }, ...LIMITS },
      storage: disk.open(),
      clock: { now: () => this.#now, after: (milliseconds, callback) => this.#after(milliseconds, callback) },
      random: () => (this.#draws++ % 7) / 7,
      transport: { send: (envelope) => this.#send(envelope) },
      stateMachine: {
        apply: (_slot, command) => list.push(Buffer.from(command).toString()),
        save: () => [Buffer.from(JSON.stringify(list))],
        restore: () => {},
      },
      onFenced: () => {},
    });
    this.logs.set(self, log);
  }

  #after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  #send({ from, to, message }: Envelope): void {
    if (this.cut.has(from) || this.cut.has(to)) return;
    void Promise.resolve().then(() => this.logs.get(to)?.receive({ from, to, message }));
  }

  async pass(ticks: number): Promise<void> {
    for (let i = 0; i < ticks; i++) {
      this.#now += 50;
      const due = this.#timers.filter(({ at }) => at <= this.#now);
      this.#timers = this.#timers.filter(({ at }) => at > this.#now);
      for (const { callback } of due) callback();
      for (let turn = 0; turn < 60; turn++) await Promise.resolve();
    }
  }

  /** Lets time go by until `promise` settles; fails after `ticksMax`. */
  async settle<T>(promise: Promise<T>, ticksMax = 2000): Promise<T> {
    let isSettled = false;
    const mark = () => {
      isSettled = true;
    };
    promise.then(mark, mark);
    for (let ticks = 0; !isSettled; ticks++) {
      if (ticks > ticksMax) throw new Error(`nothing settled within ${ticksMax} ticks`);
      await this.pass(1);
    }
    return promise;
  }

  get leader(): ReplicatedLog {
    return [...this.logs.values()].find((log) => log.status().isLeader)!;
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function threeLogs(given = {}): Promise<World> {
  const world = new World();
  for (const id of IDS) await world.open(id, given);
  await world.pass(40);
  return world;
}

test("many commands at once, more than the session window, are applied once each", async () => {
  const world = await threeLogs();
  const follower = [...world.logs.values()].find((log) => log !== world.leader)!;
  for (const log of [world.leader, follower]) {
    const names = Array.from({ length: 50 }, (_, i) => `${log.describe().replica}-${i}`);
    const results = await world.settle(Promise.all(names.map((name) => log.propose(bytes(name)))));
    expect(new Set(results).size).toBe(50);
  }
  await world.pass(5);
  const [first, ...others] = [...world.lists.values()];
  expect(new Set(first).size).toBe(100);
  expect(first!.length).toBe(100);
  for (const list of others) expect(list).toEqual(first);
});

test("a command outlives a change of leader, and is applied once", async () => {
  const world = await threeLogs();
  const old = world.leader.describe().replica;
  world.cut.add(old);
  const proposed = world.logs.get(old)!.propose(bytes("from the old leader"));
  const other = IDS.find((id) => id !== old)!;
  const pursued = world.logs.get(other)!.propose(bytes("from another"));
  await world.settle(pursued);
  world.cut.clear();
  await world.settle(proposed);
  await world.pass(10);
  for (const list of world.lists.values()) {
    expect(list.toSorted()).toEqual(["from another", "from the old leader"]);
  }
});

test("without a quorum a command is given up after `proposeMs`, and said to be unknown; a read is refused", async () => {
  const world = await threeLogs({ proposeMs: 3000 });
  const log = world.logs.get(IDS[0]!)!;
  world.cut.add(IDS[1]!).add(IDS[2]!);
  await world.pass(40);
  await expect(world.settle(log.propose(bytes("x")), 200)).rejects.toMatchObject({
    code: "KHONSU_OUTCOME_UNKNOWN",
    retryable: true,
  });
  await expect(world.settle(log.readBarrier(), 200)).rejects.toMatchObject({ code: "KHONSU_NOT_LEADER" });
});

test("what may wait is bounded, and closing refuses whoever waits", async () => {
  const world = await threeLogs({ waitingMax: 3 });
  const log = world.logs.get(IDS[0]!)!;
  world.cut.add(IDS[1]!).add(IDS[2]!);
  // The window lets 4 go, 3 wait, 1 is too many.
  const proposed = Array.from({ length: 8 }, (_, i) => log.propose(bytes(`${i}`)));
  await expect(proposed[7]).rejects.toMatchObject({ code: "KHONSU_OVERLOADED", retryable: true });
  await world.pass(30);
  await log.close();
  for (const each of proposed.slice(0, 7)) {
    await expect(each).rejects.toMatchObject({ code: expect.stringMatching(/STOPPED|UNKNOWN/) });
  }
  await expect(log.propose(bytes("later"))).rejects.toMatchObject({ code: "KHONSU_REPLICA_STOPPED" });
  await expect(log.readBarrier()).rejects.toMatchObject({ code: "KHONSU_REPLICA_STOPPED" });
});

test("a command that is too large is refused for good, and gives its place back", async () => {
  const world = await threeLogs();
  const large = new Uint8Array(2 ** 20 + 1);
  for (let i = 0; i < 10; i++) {
    await expect(world.settle(world.leader.propose(large))).rejects.toMatchObject({
      code: "KHONSU_COMMAND_TOO_LARGE",
    });
  }
  expect(await world.settle(world.leader.propose(bytes("small")))).toBe(1);
});

test("leadership is handed over, and its status says so", async () => {
  const world = await threeLogs();
  const to = IDS.find((id) => id !== world.leader.describe().replica)!;
  await world.settle(world.leader.transferLeadership(to));
  await world.pass(5);
  expect(world.leader.describe().replica).toBe(to);
  for (const log of world.logs.values()) {
    const { applied, role } = log.describe();
    expect(log.status()).toEqual({ isLeader: role === "leader", leader: IDS.indexOf(to) + 1, applied });
  }
});

test("a change of members is answered when leadership is lost, though nobody leads afterwards", async () => {
  const world = await threeLogs();
  const { leader } = world;
  const { replica } = leader.describe();
  const [other] = IDS.filter((id) => id !== replica);
  for (const id of IDS) world.cut.add(id);
  const changed = leader.changeMembership({ kind: "remove", replica: other! });
  await expect(world.settle(changed, 200)).rejects.toMatchObject({ code: "KHONSU_OUTCOME_UNKNOWN" });
});
