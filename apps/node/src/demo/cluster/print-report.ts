/** The report of the demo on a cluster as text for a terminal. */
import colors from "picocolors";
import { number, plainTable, row, section, verdict } from "../text.ts";
import type { ClusterReport } from "./report.ts";

export function printClusterReport(report: ClusterReport): string {
  const sections = [head(report), traffic(report), failover(report), recovery(report), verdict(report)];
  return `\n${sections.join("\n\n")}\n`;
}

const ms = (value: number) => `${number(value)} ms`;

function head({ cluster, load, machine, options }: ClusterReport): string {
  const where = `Node ${machine.node.slice(1)}, ${machine.platform}, ${machine.cpus} CPUs, seed ${options.seed}`;
  const { nodes, replicas, shards, startMs } = cluster;
  const what = `${nodes} node processes on loopback, ${shards} shards of ${replicas} replicas, on disk; they served after ${ms(startMs)}.`;
  const flights = `${number(load.totals.flights)} flights under 96 keys, loaded over them in ${ms(load.milliseconds)}.`;
  return `${colors.bold("Khonsu demo")}  ${colors.dim(where)}\n${what}\n${flights}`;
}

function traffic({ audits, options, traffic }: ClusterReport): string {
  const { commits, commitsByNode, commitsPerSecond, crossShardCommits, flightsMoved, latency } = traffic;
  const byNode = Object.entries(commitsByNode).map(([node, count]) => `${number(count)} by node ${node}`);
  const rows = [
    row(
      "Throughput",
      `${number(commitsPerSecond)} commits a second`,
      `${number(commits)} in all: ${byNode.join(", ")}`,
    ),
    row("Over shards", number(crossShardCommits), "two-phase commits; the others wrote to one shard only"),
    row(
      "Latency",
      `p50 ${ms(latency.p50)}, p99 ${ms(latency.p99)}`,
      `max ${ms(latency.max)}, retries and the failover included`,
    ),
    row("Retries", number(traffic.retries), "every conflict was tried again"),
    row("Moved", `${number(flightsMoved)} flights`, "each transaction reads three keys and writes three"),
    row(
      "Audits",
      `${number(audits.audits)}, ${wrong(audits.wrong)}`,
      "sums over all flights and shards, at one moment each",
    ),
  ];
  const heading = `${options.workers} workers reschedule flights through all nodes, serializable, for ${traffic.seconds.toFixed(1)} s`;
  return section(heading, plainTable(rows));
}

function failover({ failover, traffic }: ClusterReport): string {
  const { committed, aborted, unresolved } = traffic.inDoubt;
  const inDoubt = committed + aborted + unresolved;
  const rows = [
    row(
      "Paused",
      ms(failover.pauseMs),
      `until each of its ${failover.ledShards.length} shards had committed again`,
    ),
    row("Silence", ms(failover.silenceMs), "the longest time in which nothing was committed anywhere"),
    row("Meanwhile", `${number(failover.commitsMeanwhile)} commits`, "acknowledged while it was gone"),
    row(
      "In doubt",
      number(inDoubt),
      `commits not answered: ${committed} had taken effect, ${aborted} had not, ${unresolved} unknown`,
    ),
  ];
  return section(
    `Node ${failover.node}, the leader of ${countOf(failover.ledShards.length, "shard")}, is killed with SIGKILL`,
    plainTable(rows),
  );
}

function recovery({ failover, recovery }: ClusterReport): string {
  const rows = [
    row("Serves", ms(recovery.startMs), "from the start of the process"),
    row(
      "Caught up",
      ms(recovery.caughtUpMs),
      `with ${number(recovery.missedEntries)} entries of the logs that it had missed`,
    ),
  ];
  return section(`Node ${failover.node} is started again`, plainTable(rows));
}

function wrong(count: number): string {
  return count === 0 ? colors.green("0 wrong") : colors.red(`${number(count)} wrong`);
}

function countOf(count: number, what: string): string {
  return `${number(count)} ${what}${count === 1 ? "" : "s"}`;
}
