// Watches a run for the bounds that its profile promises (hard cases 13, 14, 18). Each node gets a client of its own that asks it often,
// so that whoever leads is asked within a few milliseconds.

import { SimulationFailure } from "../failure.ts";
import type { PaxosCluster } from "./cluster.ts";
import type { Expectation } from "./expectation.ts";
import type { WorkloadOperation } from "./operation.ts";

const SAMPLE_US = 5_000;
/** How often each node is asked, and how long before the first bound that begins. */
const PROBE_GAP_US = 20_000;
const PROBE_LEAD_US = 200_000;

export function watchExpectations(cluster: PaxosCluster): void {
  const { expectations, faultsUntilUs } = cluster.setup;
  if (expectations.length === 0) return;
  const fromUs = Math.min(...expectations.map((expectation) => startOf(expectation))) - PROBE_LEAD_US;
  for (const node of cluster.nodes) {
    cluster.addClient(probeOperations(fromUs, faultsUntilUs), { pinnedTo: node, retryMeanUs: 40_000 });
  }
  for (const expectation of expectations) watch(cluster, expectation);
}

function startOf(expectation: Expectation): number {
  return expectation.kind === "leader-stays" ? expectation.fromUs : expectation.atUs;
}

function probeOperations(fromUs: number, untilUs: number): WorkloadOperation[] {
  const count = Math.floor((untilUs - fromUs) / PROBE_GAP_US);
  return Array.from({ length: count }, (_, index) => ({
    process: 0,
    kind: index % 2 === 0 ? "write" : "read",
    key: "bound",
    thinkUs: index === 0 ? fromUs : PROBE_GAP_US,
  }));
}

function watch(cluster: PaxosCluster, expectation: Expectation): void {
  const timeoutUs = cluster.setup.electionTimeoutTicks * cluster.setup.tickUs;
  switch (expectation.kind) {
    case "served-within": {
      const { atUs, electionTimeouts } = expectation;
      const limitUs = atUs + electionTimeouts * timeoutUs;
      cluster.scheduler.at(limitUs, () => {
        const isServed = cluster.lastServedUs > atUs;
        if (!isServed)
          fail(
            "served-within",
            `no command was served within ${electionTimeouts} election timeouts of ${atUs} us`,
          );
      });
      break;
    }
    case "leader-stays":
      cluster.scheduler.at(expectation.fromUs, () =>
        watchLeader(cluster, leaderName(cluster), expectation.toUs),
      );
      break;
    case "leader-replaced-within": {
      const { atUs, electionTimeouts } = expectation;
      cluster.scheduler.at(atUs - 1, () => {
        const before = leaderName(cluster);
        cluster.scheduler.at(atUs + electionTimeouts * timeoutUs, () => {
          if (leaderName(cluster) === before)
            fail(
              "leader-replaced-within",
              `${before} still leads after ${electionTimeouts} election timeouts`,
            );
        });
      });
    }
  }
}

function watchLeader(cluster: PaxosCluster, expected: string, untilUs: number): void {
  const now = leaderName(cluster);
  if (now !== expected) fail("leader-stays", `${expected} was healthy and gave way to ${now}`);
  if (cluster.scheduler.nowUs + SAMPLE_US < untilUs) {
    cluster.scheduler.after(SAMPLE_US, () => watchLeader(cluster, expected, untilUs));
  }
}

/** The node that leads and its ballot. */
function leaderName(cluster: PaxosCluster): string {
  const status = cluster.leader()?.status;
  return status === undefined ? "nobody" : `replica ${status.replica} with round ${status.ballot.round}`;
}

function fail(check: string, message: string): never {
  throw new SimulationFailure("liveness", check, message);
}
