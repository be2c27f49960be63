import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Disk } from "./disk.ts";
import { TEXT_CODEC } from "./disk-codec.ts";
import type { Fault, FaultEvent } from "./fault.ts";
import { FaultAtlas } from "./fault-atlas.ts";
import { FaultInjector, type FaultSurface } from "./fault-injector.ts";
import { ALL_FAULT_WEIGHTS, planFaults, swarm } from "./fault-plan.ts";
import { Network, type NodeName } from "./network.ts";
import { NodeClock } from "./node-clock.ts";
import { Prng } from "./prng.ts";
import { Scheduler } from "./scheduler.ts";
import { Trace } from "./trace.ts";

const NODES = [1, 2, 3, 4, 5];

/** Five nodes that do nothing but write to their disks and be up, down or paused. */
function setup(seed: string | number) {
  const prng = new Prng(seed);
  const scheduler = new Scheduler();
  const network = new Network<unknown>(scheduler, prng.split("network"), () => {});
  const disk = (node: NodeName) =>
    new Disk<string>(scheduler, prng.split(`disk ${node}`), {
      codec: TEXT_CODEC,
      syncMinUs: 50,
      syncMeanUs: 50,
      tearsBatches: true,
    });
  const disks = new Map<NodeName, Disk<string>>(NODES.map((node) => [node, disk(node)]));
  const clocks = new Map(NODES.map((node) => [node as NodeName, new NodeClock(scheduler)]));
  const down = new Set<NodeName>();
  const paused = new Map<NodeName, number>();
  const atlas = new FaultAtlas(prng.split("atlas"), { nodes: NODES, damagedMax: 2, wipes: true });
  const surface: FaultSurface = {
    scheduler,
    network,
    trace: new Trace({ linesMax: 10_000 }),
    nodes: NODES,
    leader: () => 1,
    disk: (node) => disks.get(node)!,
    clock: (node) => clocks.get(node)!,
    isDown: (node) => down.has(node),
    crash(node, _, stopped) {
      down.add(node);
      disks.get(node)!.crash();
      stopped();
    },
    cancelCrash: () => {},
    restart: (node) => down.delete(node),
    pause: (node) => paused.set(node, (paused.get(node) ?? 0) + 1),
    resume: (node) => paused.set(node, (paused.get(node) ?? 0) - 1),
    mayDamage: (node, key) => key !== "precious" && atlas.mayDamage(node, key),
    wipeable: () => atlas.wipeable,
    wiped: () => {},
    targetFault: (name) => name === "transfer",
  };
  const injector = new FaultInjector(surface, prng.split("injector"));
  const writeAll = () => {
    const keys = ["precious", "a", "b", "c"];
    for (const one of disks.values()) {
      one.write(
        keys.map((key) => ({ kind: "put" as const, key, value: key })),
        () => {},
      );
    }
  };
  return { scheduler, network, disks, clocks, down, paused, atlas, surface, injector, writeAll };
}

function inject(system: ReturnType<typeof setup>, fault: Fault, untilUs: number): void {
  system.injector.schedule([{ atUs: system.scheduler.nowUs, fault }]);
  system.scheduler.runUntil(untilUs);
}

describe("fault injector", () => {
  test("a crash of the leader ends with its restart", () => {
    const system = setup(1);
    inject(system, { kind: "crash", victim: "@leader", afterEffects: 0, downUs: 1_000 }, 500);
    expect([...system.down]).toEqual([1]);
    system.scheduler.runUntil(2_000);
    expect(system.down.size).toBe(0);
    expect(system.injector.counts).toEqual({ crash: 1 });
  });

  test("a role that the shape needs comes first in a partition", () => {
    const system = setup(1);
    inject(system, { kind: "partition", shape: "deaf", order: ["@leader", 3], durationUs: 1_000 }, 10);
    expect(NODES.map((node) => system.network.isOpen(node, 1))).toEqual([true, false, false, false, false]);
    expect(NODES.every((node) => system.network.isOpen(1, node))).toBe(true);
  });

  test("faults of the target count under their own name, and only when they did something", () => {
    const system = setup(1);
    inject(system, { kind: "target", name: "transfer", victim: 1, argument: 0 }, 1);
    inject(system, { kind: "target", name: "unknown", victim: 1, argument: 0 }, 2);
    expect(system.injector.counts).toEqual({ transfer: 1 });
  });

  test("damage stays within the atlas, whatever the plan: a majority of copies is whole at all times", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const system = setup(seed);
        system.writeAll();
        system.scheduler.runUntil(10_000);
        const weights = { damage: 5, wipe: 1, crash: 1 };
        const events = planFaults(new Prng(seed), {
          nodes: NODES,
          durationUs: 1_000_000,
          gapMeanUs: 10_000,
          lastingMeanUs: 20_000,
          weights,
        });
        system.injector.schedule(events);
        system.scheduler.runUntil(2_000_000, () => {
          for (const key of ["precious", "a", "b", "c"]) {
            const whole = NODES.filter((node) => {
              const read = system.disks.get(node)!.read(key);
              return read.kind === "value" && read.value === key;
            });
            expect(whole.length).toBeGreaterThanOrEqual(key === "precious" ? 4 : 3);
          }
          return false;
        });
      }),
      { numRuns: 30 },
    );
  });

  test("after healing nothing is left of any fault, and none follows", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 1_000_000 }), (seed, healUs) => {
        const system = setup(seed);
        const events: FaultEvent[] = planFaults(new Prng(seed), {
          nodes: NODES,
          durationUs: 1_000_000,
          gapMeanUs: 10_000,
          lastingMeanUs: 100_000,
          weights: swarm(ALL_FAULT_WEIGHTS, new Prng(seed)),
          targetFaults: { transfer: 1 },
        });
        system.injector.schedule(events);
        system.scheduler.runUntil(healUs);
        system.injector.healAll();
        const counts = { ...system.injector.counts };
        system.scheduler.runUntil(healUs + 2_000_000);
        expect(system.down.size).toBe(0);
        expect([...system.paused.values()].every((depth) => depth === 0)).toBe(true);
        for (const from of NODES) for (const to of NODES) expect(system.network.isOpen(from, to)).toBe(true);
        expect(system.network.quality.loss).toBe(0);
        let synced = 0;
        for (const disk of system.disks.values()) {
          disk.crash();
          disk.write([{ kind: "put", key: "k", value: "v" }], (error) => {
            synced += error === undefined ? 1 : 0;
          });
        }
        system.scheduler.runUntil(system.scheduler.nowUs + 50_000);
        expect(synced).toBe(NODES.length);
        expect(system.injector.counts).toEqual(counts);
      }),
      { numRuns: 50 },
    );
  });
});
