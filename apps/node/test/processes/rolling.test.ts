/**
 * Nodes that are restarted one after another under load, as for an upgrade: clients see one history, and nothing acknowledged is lost. What
 * speaks no version of the protocol in common says so, and each side goes on serving with whoever it can speak to.
 */
import { connectCluster, type ProtocolRange } from "@khonsu/transport-connect";
import { afterEach, expect, test } from "vitest";
import type { MemberStatus, NodeStatus } from "../../src/node/node-status.ts";
import { probe } from "./clients.ts";
import { restart, SERVICE_LIMIT_MS } from "./faults.ts";
import { type LoadReport, runUnderLoad } from "./load-run.ts";
import type { NodeProcess } from "./node-process.ts";
import type { PauseProbe } from "./pause-probe.ts";
import type { ProcessCluster } from "./process-cluster.ts";

const OLD: ProtocolRange = { min: 1, max: 1 };
const BOTH: ProtocolRange = { min: 1, max: 2 };
const NEW: ProtocolRange = { min: 2, max: 2 };

let pauses: string[] = [];

afterEach(() => {
  process.stderr.write(`${pauses.join("; ")}\n`);
  pauses = [];
});

async function restarted(cluster: ProcessCluster, probing: PauseProbe, node: NodeProcess): Promise<void> {
  const begun = performance.now();
  const pauseMs = await restart(node, () => probing.pauseAfter(begun, SERVICE_LIMIT_MS));
  pauses.push(`restart of ${node.node}: service paused ${Math.round(pauseMs)} ms`);
  await cluster.untilSettled();
}

const othersOf = ({ members }: NodeStatus): MemberStatus[] => members.filter(({ link }) => link !== "self");

/** Once every node is linked with every other, by the version that is meant. */
async function untilLinked(cluster: ProcessCluster, version: (a: number, b: number) => number) {
  await cluster.until((status) =>
    othersOf(status).every(
      ({ link, linkProtocol, node }) => link === "up" && linkProtocol === version(status.node, node),
    ),
  );
}

function expectWhole({ outcomes, violations }: LoadReport): void {
  expect(violations).toEqual([]);
  expect(outcomes.lists.ok).toBeGreaterThan(5);
  expect(outcomes.bank.ok).toBeGreaterThan(5);
}

test("all nodes are restarted one after another: clients see one history", async () => {
  const report = await runUnderLoad({ seed: "rolling", clients: 2 }, async (cluster, probing) => {
    for (const node of cluster.nodes) await restarted(cluster, probing, node);
  });
  expectWhole(report);
  expect(pauses).toHaveLength(3);
});

test("an upgrade of one node after another; one that skipped a version says so, and each goes on serving", async () => {
  const report = await runUnderLoad({ seed: "upgrade", clients: 2 }, async (cluster, probing) => {
    const [first, second, third] = cluster.nodes as [NodeProcess, NodeProcess, NodeProcess];
    const upgraded = new Set<number>();
    for (const node of [first, second, third]) {
      node.speaks = BOTH;
      await restarted(cluster, probing, node);
      upgraded.add(node.node);
      await untilLinked(cluster, (a, b) => (upgraded.has(a) && upgraded.has(b) ? 2 : 1));
    }

    first.speaks = NEW;
    await restarted(cluster, probing, first);
    await untilLinked(cluster, () => 2);

    // It hears no leader on the other side, so it is not called ready; it serves all the same.
    third.speaks = OLD;
    await third.end("SIGTERM");
    third.start();
    const versions = /node \d speaks (versions )?1 to 1/i;
    await cluster.until((status) => {
      const [one, other] = [first.node, third.node];
      if (status.node === second.node) return othersOf(status).every(({ link }) => link === "up");
      const strange = othersOf(status).find(({ node }) => node === one || node === other);
      return strange?.link !== "up" && versions.test(strange?.linkError ?? "");
    });
    for (const node of [first, third]) {
      expect(node.log).toContain("KHONSU_PROTOCOL_VERSION");
      expect(node.log).toContain("upgrade the older");
      await expectServing(node);
    }

    third.speaks = BOTH;
    await restarted(cluster, probing, third);
    await untilLinked(cluster, (a, b) => (a === b ? 0 : 2));
  });
  expectWhole(report);
});

/** A client of this node commits to each shard, and stays with it. */
async function expectServing({ address }: NodeProcess): Promise<void> {
  const client = await connectCluster({ addresses: [address] });
  try {
    for (let i = 0; i < 12; i++) await probe(client.session(), `served/${i}`);
    expect(client.address).toBe(address);
  } finally {
    await client.close();
  }
}
