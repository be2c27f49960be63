import { describe, expect, test } from "vitest";
import { CALM_NETWORK, Network, type NetworkQuality } from "./network.ts";
import { Prng } from "./prng.ts";
import { Scheduler } from "./scheduler.ts";

function setup(quality: Partial<NetworkQuality> = {}) {
  const scheduler = new Scheduler();
  const arrived: string[] = [];
  const network = new Network<number>(
    scheduler,
    new Prng("network"),
    (from, to, message) => arrived.push(`${from}>${to}:${message}`),
    { ...CALM_NETWORK, ...quality },
  );
  const sendMany = (from: string, to: string, count: number) => {
    for (let index = 0; index < count; index += 1) network.send(from, to, index);
    scheduler.runUntil(scheduler.nowUs + 1_000_000);
  };
  return { scheduler, network, arrived, sendMany };
}

describe("network", () => {
  test("a calm network delivers each message once; an ordered one in order", () => {
    const { arrived, sendMany, network } = setup({ ordered: true });
    sendMany("a", "b", 50);
    expect(arrived).toEqual(Array.from({ length: 50 }, (_, index) => `a>b:${index}`));
    expect(network.counts).toMatchObject({ sent: 50, delivered: 50, lost: 0, duplicated: 0, reordered: 0 });
  });

  test("loss, duplication and reordering happen at their rates and are counted", () => {
    const { arrived, sendMany, network } = setup({ loss: 0.2, duplication: 0.1, straggling: 0.1 });
    sendMany("a", "b", 2_000);
    expect(network.counts.lost).toBeGreaterThan(300);
    expect(network.counts.lost).toBeLessThan(500);
    expect(network.counts.duplicated).toBeGreaterThan(130);
    expect(network.counts.reordered).toBeGreaterThan(100);
    expect(arrived.length).toBe(2_000 - network.counts.lost + network.counts.duplicated);
  });

  test("a block is one-way, counted, and drops what is on its way", () => {
    const { arrived, sendMany, network, scheduler } = setup();
    network.send("a", "b", 0);
    const healOne = network.block([["a", "b"]]);
    const healOther = network.block([["a", "b"]]);
    sendMany("b", "a", 1);
    healOne();
    healOne();
    sendMany("a", "b", 1);
    expect(network.isOpen("a", "b")).toBe(false);
    healOther();
    expect(network.isOpen("a", "b")).toBe(true);
    sendMany("a", "b", 1);
    expect(arrived).toEqual(["b>a:0", "a>b:0"]);
    expect(network.counts.blocked).toBe(2);
    expect(scheduler.nowUs).toBeGreaterThan(0);
  });

  test("qualities overlap: the one set last holds until it is taken back", () => {
    const { network } = setup();
    const [bad, worse] = [
      { ...CALM_NETWORK, loss: 0.1 },
      { ...CALM_NETWORK, loss: 0.9 },
    ];
    const undoBad = network.setQuality(bad);
    const undoWorse = network.setQuality(worse);
    undoBad();
    undoBad();
    expect(network.quality).toBe(worse);
    undoWorse();
    expect(network.quality.loss).toBe(0);
  });

  test("a clog holds messages and lets them go", () => {
    const { arrived, sendMany, network, scheduler } = setup({ ordered: true });
    const unclog = network.clog([["a", "b"]]);
    sendMany("a", "b", 3);
    expect(arrived).toEqual([]);
    unclog();
    scheduler.runUntil(scheduler.nowUs + 1);
    expect(arrived).toEqual(["a>b:0", "a>b:1", "a>b:2"]);
  });

  test("traffic on one link leaves the luck of another as it was", () => {
    const alone = setup({ loss: 0.5 });
    alone.sendMany("a", "b", 30);
    const beside = setup({ loss: 0.5 });
    for (let index = 0; index < 10; index += 1) beside.network.send("c", "b", index);
    beside.sendMany("a", "b", 30);
    expect(beside.arrived.filter((line) => line.startsWith("a>b")).sort()).toEqual(alone.arrived.sort());
  });
});
