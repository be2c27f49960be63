import { expect, test } from "vitest";
import { founded } from "../../test/directory-arbitraries.ts";
import { ManualRuntime } from "../../test/manual-runtime.ts";
import { ClusterNode } from "../cluster-node.ts";
import type { Consensus, ReplicaStart } from "../consensus.ts";
import { applyCommand } from "./apply.ts";
import type { DirectoryCommand } from "./command.ts";
import { Directory } from "./directory.ts";
import { DirectoryPlacement } from "./directory-placement.ts";
import { type NodeRecord, NodeRecordKeeper } from "./node-record.ts";
import { ReplicaKeeper } from "./replica-keeper.ts";
import { DIRECTORY_GROUP, type DirectoryState } from "./state.ts";

const idle: Consensus = {
  propose: async () => undefined,
  readBarrier: async () => {},
  status: () => ({ isLeader: false, leader: undefined, applied: 0 }),
};

function after(state: DirectoryState, ...commands: DirectoryCommand[]): DirectoryState {
  return commands.reduce((before, command) => applyCommand(before, command).state!, state);
}

/** The keeper of node 1, which founded `state`; what it does is noted in order. */
async function keeperOf(state: DirectoryState, { failing = new Set<string>() } = {}) {
  const runtime = new ManualRuntime();
  const did: string[] = [];
  const problems: unknown[] = [];
  const note = (what: string) => {
    did.push(what);
    if (failing.has(what)) throw new Error(what);
  };
  const save = async (text: string) => {
    const { replicas } = JSON.parse(text) as NodeRecord;
    note(
      `save ${replicas.map(({ group, incarnation, isOpened }) => `${group}#${incarnation}${isOpened ? "" : "?"}`)}`,
    );
  };
  const record = await NodeRecordKeeper.open({ load: async () => undefined, save }, 1, () => "disk-1-1");
  const replicas = [...state.groups.keys()].map((group) => ({
    group,
    incarnation: 1,
    isFounder: true,
    isOpened: false,
  }));
  const cluster = { clusterId: state.clusterId, incarnation: 1 };
  await record.change((current) => ({
    ...current,
    cluster,
    founding: state,
    replicas,
    version: state.version,
  }));
  did.length = 0;
  const ask = async () => {
    throw new Error("unreachable");
  };
  const directory = new Directory({ self: 1, runtime, ask });
  const openConsensus = async (group: number, _: unknown, { self, start }: ReplicaStart) => {
    note(`open ${group}#${self.incarnation} ${start.kind}`);
    return idle;
  };
  const placement = new DirectoryPlacement(directory);
  const node = ClusterNode.start({
    self: 1,
    placement,
    transport: { ask },
    openConsensus,
    runtime,
    wallClock: () => 0,
  });
  const keeper = new ReplicaKeeper({
    self: 1,
    node,
    directory,
    record,
    runtime,
    openConsensus,
    dropConsensus: async (group) => note(`drop ${group}`),
    onProblem: (_, error) => problems.push(error),
  });
  directory.learn(state);
  await keeper.start();
  const learn = async (next: DirectoryState) => {
    did.length = 0;
    directory.learn(next);
    await runtime.pass(3000);
    return [...did];
  };
  return { did, learn, problems, record, failing };
}

const four = after(founded(3, 1), {
  kind: "admit",
  admission: { node: 4, nonce: "disk-4-1", address: "host-4:1", zone: undefined, weight: 1 },
});
const away = { add: { node: 4, incarnation: 3 }, remove: { node: 1, incarnation: 1 } };
const moved = after(
  four,
  { kind: "beginMove", group: 0, add: 4, remove: away.remove },
  { kind: "endMove", group: 0, move: away },
);
const back = after(moved, { kind: "beginMove", group: 0, add: 1, remove: { node: 4, incarnation: 3 } });

test("PL-9, PL-10: founds once, deletes what has left before it forgets it, and records what is to come before it opens it", async () => {
  const { did, learn } = await keeperOf(founded(3, 1));
  const directory = `${DIRECTORY_GROUP}#1`;
  expect(did).toEqual(["open 0#1 found", `open ${directory} found`, `save 0#1,${directory}`]);
  expect(await learn(four)).toEqual([]);
  expect(await learn(moved)).toEqual(["drop 0", `save ${directory}`]);
  expect(await learn(back)).toEqual([`save ${directory},0#4?`, "open 0#4 join", `save ${directory},0#4`]);
  // Older news changes nothing.
  expect(await learn(moved)).toEqual([]);
});

test("a deletion that fails is told of and tried again, and nothing is forgotten before it is done", async () => {
  const { learn, problems, record, failing } = await keeperOf(founded(3, 1));
  failing.add("drop 0");
  await learn(moved);
  expect(problems.length).toBeGreaterThan(1);
  expect(record.current.replicas.map(({ group }) => group)).toEqual([0, DIRECTORY_GROUP]);
  failing.clear();
  const again = await learn(back);
  expect(again[0]).toBe("drop 0");
  expect(again.at(-2)).toBe("open 0#4 join");
});
