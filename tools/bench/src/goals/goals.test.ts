import { expect, test } from "vitest";
import { madeUpRow } from "../report/made-up-row.ts";
import type { MeasuredRow } from "../report/row.ts";
import { caseName, IN_FLIGHT, SUBJECTS } from "../suites/cluster.ts";
import { clusterGoals } from "./cluster.ts";
import { coreGoals, durableGoals, growthGoals } from "./embedded.ts";
import { failoverGoals } from "./failover.ts";

/** @param ours Khonsu's operations a second in the case */
const row = (name: string, subject: string, rate: number, ours: number): MeasuredRow =>
  madeUpRow(name, subject, rate, { ratio_to_khonsu: ours / rate });

test("the cluster: ten times etcd, half its latency, half as many two-shard writes, two thirds on the leader", () => {
  const rows = IN_FLIGHT.flatMap((inFlight) => {
    const ours = inFlight === 256 ? 50_000 : 9000;
    const [single, both] = [caseName("write", inFlight), caseName("writeBoth", inFlight)];
    return [
      row(single, SUBJECTS.khonsu, ours, ours),
      row(single, SUBJECTS.etcd, 4500, ours),
      row(both, SUBJECTS.khonsu, inFlight === 1 ? 4000 : 6000, 6000),
    ];
  });
  const details = [
    { what: "three nodes: all together", "of embedded %": 99, "of one node %": 99 },
    { what: "three nodes: the leader", "of embedded %": 10, "of one node %": 67 },
  ];
  const goals = clusterGoals({ rows, details });
  expect(goals.map(({ figure, isMet }) => [figure, isMet])).toEqual([
    ["2 ×", false],
    ["11.1 ×", true],
    ["0.5 ×", true],
    ["0.444 ×", false],
    ["0.667 ×", true],
    ["0.667 ×", true],
    ["0.12 ×", false],
    ["0.67 ×", true],
    ["0.1 ×", false],
  ]);
  const withoutEtcd = rows.filter((each) => each.subject !== SUBJECTS.etcd);
  expect(clusterGoals({ rows: withoutEtcd, details: [] })).toHaveLength(IN_FLIGHT.length);
});

test("core: its peers, by transact and by hand; a peer that was not there is left out", () => {
  const name = "2 reads + 2 writes over 10,000 keys";
  const rows = [
    row(name, "khonsu serializable", 1000, 1000),
    row(name, "khonsu serializable, begin and commit by hand", 1200, 1000),
    row(name, "effect 4 TxRef", 40, 1000),
    row(name, "plain Map, no transactions", 10_000, 1000),
  ];
  expect(coreGoals({ rows, details: [] }).map(({ figure, isMet }) => [figure, isMet])).toEqual([
    ["25 ×; by hand 30 ×", true],
    ["0.1 ×; by hand 0.12 ×", false],
  ]);
});

test("durable: the latency of fdatasync, and every peer at 256 callers but the limit itself", () => {
  const [one, many] = ["commit of one write, 1 caller", "commit of one write, 256 callers"];
  const rows = [
    row(one, "khonsu on LevelStorage", 1000, 1000),
    row(one, "fdatasync of 293 bytes", 1250, 1000),
    row(many, "khonsu on LevelStorage", 1000, 1000),
    row(many, "fdatasync of 64955 bytes", 9000, 1000),
    row(many, "lmdb, flushed", 2000, 1000),
    row(many, "classic-level, sync", 100, 1000),
  ];
  expect(durableGoals({ rows, details: [] }).map(({ figure, isMet }) => [figure, isMet])).toEqual([
    ["1.25 ×", true],
    ["0.5 ×", false],
    ["10 ×", true],
  ]);
});

test("growth: from the first subject of a case to the last, but for the Map that is there to compare", () => {
  const rows = [
    row("keys", "10,000 keys", 1000, 1000),
    row("keys", "100,000 keys", 10, 1000),
    row("keys", "1,000,000 keys", 500, 1000),
    row("keys of a plain Map", "plain Map, 10000 keys", 1000, 1000),
    row("keys of a plain Map", "plain Map, 1000000 keys", 1, 1000),
    row("past commits", "none", 1000, 1000),
    row("past commits", "ten million", 990, 1000),
  ];
  expect(growthGoals({ rows, details: [] }).map(({ figure, isMet }) => [figure, isMet])).toEqual([
    ["2 ×", false],
    ["1.01 ×", true],
  ]);
});

test("failover: a hundred kills of both", () => {
  const of = (subject: string, kills: number) => ({
    subject,
    kills,
    "median pause ms": 500,
    "worst pause ms": 800,
  });
  const [goal] = failoverGoals({ rows: [], details: [of("khonsu", 100), of("etcd", 100)] });
  expect(goal).toMatchObject({
    figure: "khonsu: median 500 ms, worst 800 ms; etcd: median 500 ms, worst 800 ms",
    isMet: true,
  });
  expect(failoverGoals({ rows: [], details: [of("khonsu", 5), of("etcd", 5)] })[0]?.isMet).toBe(false);
  expect(failoverGoals({ rows: [], details: [of("khonsu", 100)] })[0]?.isMet).toBe(false);
});
