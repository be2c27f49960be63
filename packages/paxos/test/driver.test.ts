import { expect, test } from "vitest";
import {
  type AcceptorStorage,
  type Configuration,
  Driver,
  type DriverClock,
  type Envelope,
  type PaxosError,
  type RefusedError,
  type ReplicaId,
  type ReplicaOptions,
  replicaId,
} from "../src/index.ts";
import { MemoryDisk } from "../src/testing/index.ts";

/** A clock that a test moves, a network that delivers on the next turn, and counters as state machines. */
class World implements DriverClock {
  private time = 0;
  private timers: { at: number; callback: () => void }[] = [];
  readonly drivers = new Map<ReplicaId, Driver>();
  readonly disks = new Map<ReplicaId, MemoryDisk>();
  readonly logs = new Map<ReplicaId, string[]>();
  readonly fenced: PaxosError[] = [];

  readonly stalls = new Map<ReplicaId, Promise<void>>();
  onSend: (envelope: Envelope) => void = () => {};
  /** So many messages take longer than a tick to be sent. */
  slowSends = 0;

  now(): number {
    return this.time;
  }

  after(milliseconds: number, callback: () => void): () => void {
    expect(milliseconds).toBeGreaterThanOrEqual(0);
    const timer = { at: this.time + milliseconds, callback };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  async open(
    self: ReplicaId,
    start: ReplicaOptions["start"],
    options: Partial<ReplicaOptions> = {},
  ): Promise<Driver> {
    const disk = this.disks.get(self) ?? new MemoryDisk();
    this.disks.set(self, disk);
    let log: string[] = [];
    this.logs.set(self, log);
    const driver = await Driver.open({
      replica: { self, start, seed: self % 97, ...options },
      storage: this.stallable(self, disk.open()),
      clock: this,
      transport: { send: (envelope) => this.send(envelope) },
      stateMachine: {
        apply: (_slot, command) => log.push(Buffer.from(command).toString()),
        save: () => [Buffer.from(JSON.stringify(log))],
        restore: (image) => {
          log = JSON.parse(Buffer.from(image).toString());
          this.logs.set(self, log);
        },
      },
      onFenced: (error) => this.fenced.push(error),
    });
    this.drivers.set(self, driver);
    return driver;
  }

  /** A storage that writes nothing while its replica's disk stalls. */
  private stallable(self: ReplicaId, storage: AcceptorStorage): AcceptorStorage {
    const write = storage.write.bind(storage);
    storage.write = async (batch) => {
      await this.stalls.get(self);
      await write(batch);
    };
    return storage;
  }

  private send(envelope: Envelope): void {
    this.onSend(envelope);
    if (this.slowSends > 0) {
      this.slowSends--;
      this.time += 120;
    }
    void Promise.resolve().then(() => this.drivers.get(envelope.to)?.receive(envelope));
  }

  /** Lets time go by tick by tick, with all that follows from each tick. */
  async pass(ticks: number): Promise<void> {
    for (let i = 0; i < ticks; i++) {
      this.time += 50;
      const due = this.timers.filter(({ at }) => at <= this.time);
      this.timers = this.timers.filter(({ at }) => at > this.time);
      for (const { callback } of due) callback();
      for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    }
  }

  get leader(): Driver {
    const leader = [...this.drivers.values()].find((driver) => driver.status().role === "leader");
    if (leader === undefined) throw new Error("nobody leads");
    return leader;
  }
}

const IDS = [1, 2, 3].map((node) => replicaId(node));
const GROUP: Configuration = { voters: IDS, learners: [], retired: [], quorums: "majority" };

async function threeDrivers(options: Partial<ReplicaOptions> = {}): Promise<World> {
  const world = new World();
  for (const id of IDS) await world.open(id, { kind: "found", configuration: GROUP }, options);
  await world.pass(40);
  return world;
}

test("three drivers decide, read and answer", async () => {
  const world = await threeDrivers();
  const follower = [...world.drivers.values()].find((driver) => driver !== world.leader)!;
  const outcomes = Promise.all([
    world.leader.propose({ client: 1, sequence: 1, command: Buffer.from("a") }),
    world.leader.propose({ client: 1, sequence: 2, command: Buffer.from("b") }),
    follower.propose({ client: 2, sequence: 1, command: Buffer.from("c") }),
  ]);
  await world.pass(5);
  expect(new Set((await outcomes).map(({ result }) => result))).toEqual(new Set([1, 2, 3]));
  const index = follower.readBarrier();
  await world.pass(5);
  expect(await index).toBeGreaterThanOrEqual((await outcomes)[2]!.slot);
  for (const log of world.logs.values()) expect(log.toSorted()).toEqual(["a", "b", "c"]);
});

test("a turn that takes longer than a tick sets no timer in the past", async () => {
  const world = await threeDrivers();
  world.slowSends = 5;
  await world.pass(40);
  expect(world.slowSends).toBe(0);
  expect(world.leader.status().role).toBe("leader");
});

test("proposals gather at the leader while its votes are on their way to the disk, and a tick ends that", async () => {
  const world = await threeDrivers();
  const { leader } = world;
  let release = () => {};
  const batches: number[] = [];
  world.onSend = ({ from, message }) => {
    if (from === leader.status().replica && message.kind === "accept" && message.entries.length > 0)
      batches.push(message.entries.length);
  };
  const propose = (sequence: number) =>
    leader.propose({ client: 5, sequence, command: Buffer.from(`c${sequence}`) });
  world.stalls.set(leader.status().replica, new Promise((resolve) => (release = resolve)));
  const first = propose(1);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  expect(batches).toEqual([1, 1]);
  const later = [2, 3, 4].map(propose);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  expect(batches).toEqual([1, 1]);
  await world.pass(1);
  expect(batches).toEqual([1, 1, 3, 3]);
  const last = propose(5);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  expect(batches).toEqual([1, 1, 3, 3]);
  world.stalls.clear();
  release();
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
  expect(batches).toEqual([1, 1, 3, 3, 1, 1]);
  await world.pass(2);
  expect((await Promise.all([first, ...later, last])).map(({ result }) => result)).toEqual([1, 2, 3, 4, 5]);
});

test("hard case 19: a proposal repeated through another replica is applied once and answered with the same slot", async () => {
  const world = await threeDrivers();
  const [first, second] = [...world.drivers.values()];
  const proposal = { client: 9, sequence: 1, command: Buffer.from("once") };
  const outcomes = [first!.propose(proposal), second!.propose(proposal)];
  await world.pass(10);
  const again = second!.propose(proposal);
  await world.pass(5);
  const slots = new Set([...(await Promise.all(outcomes)), await again].map(({ slot }) => slot));
  expect(slots.size).toBe(1);
  for (const log of world.logs.values()) expect(log).toEqual(["once"]);
});

test("PX-15 a command that fell behind its client's window on its way is refused: it may never have been applied", async () => {
  const world = await threeDrivers();
  const outcomes = Promise.allSettled([
    world.leader.propose({ client: 1, sequence: 10_000, command: Buffer.from("new") }),
    world.leader.propose({ client: 1, sequence: 1, command: Buffer.from("old") }),
  ]);
  await world.pass(5);
  const [applied, expired] = await outcomes;
  expect(applied.status).toBe("fulfilled");
  expect(expired).toMatchObject({ status: "rejected", reason: { code: "KHONSU_SESSION_EXPIRED" } });
  for (const log of world.logs.values()) expect(log).toEqual(["new"]);
});

test("leadership is handed over, a member is added, promoted and catches up by an image", async () => {
  const world = await threeDrivers({ checkpointEntries: 10, retainEntries: 0, chunkBytes: 32 });
  for (let i = 1; i <= 30; i++)
    void world.leader.propose({ client: 1, sequence: i, command: Buffer.from(`${i}`) });
  await world.pass(10);
  const to = IDS.find((id) => id !== world.leader.status().replica)!;
  const handed = world.leader.transferLeadership(to);
  await world.pass(10);
  await handed;
  expect(world.leader.status().replica).toBe(to);
  const newcomer = replicaId(4);
  await world.open(newcomer, { kind: "join" }, { checkpointEntries: 10, retainEntries: 0, chunkBytes: 32 });
  const added = world.leader.changeMembership({ kind: "add", replica: newcomer, promote: true });
  await world.pass(60);
  expect((await added).learners).toEqual([{ replica: newcomer, promote: true }]);
  expect(world.leader.status().configuration?.voters).toEqual([...IDS, newcomer]);
  expect(world.logs.get(newcomer)).toEqual(world.logs.get(to));
});

test("a replica closed and opened again goes on from its disk", async () => {
  const world = await threeDrivers({ checkpointEntries: 5, retainEntries: 2 });
  for (let i = 1; i <= 12; i++)
    void world.leader.propose({ client: 1, sequence: i, command: Buffer.from(`${i}`) });
  await world.pass(10);
  const before = world.logs.get(IDS[1]!)!;
  await world.drivers.get(IDS[1]!)!.close();
  world.drivers.delete(IDS[1]!);
  await world.open(IDS[1]!, { kind: "restart" }, { checkpointEntries: 5, retainEntries: 2 });
  await world.pass(40);
  expect(world.logs.get(IDS[1]!)).toEqual(before);
  expect(before.length).toBe(12);
});

test("a disk that fails fences the replica, loudly, and the others go on", async () => {
  const world = await threeDrivers();
  const failed = world.leader;
  world.disks.get(failed.status().replica)!.failWrites(1);
  const lost = failed.propose({ client: 1, sequence: 1, command: Buffer.from("x") });
  await world.pass(1);
  await expect(lost).rejects.toMatchObject({
    code: "KHONSU_REPLICA_STOPPED",
  } satisfies Partial<RefusedError>);
  expect(world.fenced.map(({ code }) => code)).toEqual(["KHONSU_STORAGE_FAILED"]);
  expect(failed.status().role).toBe("fenced");
  await world.pass(60);
  const other = [...world.drivers.values()].find((driver) => driver.status().role === "leader")!;
  const decided = other.propose({ client: 1, sequence: 1, command: Buffer.from("x") });
  await world.pass(5);
  expect((await decided).slot).toBeGreaterThan(0);
});
