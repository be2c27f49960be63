/** What the nodes of a cluster say of themselves, as text for a terminal. */
import Table from "cli-table3";
import colors from "picocolors";
import { printable } from "../../files/table-text.ts";
import type { HostedShardStatus, NodeStatus } from "../../node/node-status.ts";
import type { Answer } from "./fetch-status.ts";
import { type ShardView, shardViews } from "./shard-views.ts";

/** With more shards than this only those in trouble are listed, unless all are asked for. */
const SHARDS_MAX = 64;

export function statusText(answers: readonly Answer[], { isAll = false } = {}): string {
  const statuses = answers.flatMap(({ status }) => (status === undefined ? [] : [status]));
  const first = statuses[0]!;
  const views = shardViews(statuses);
  const troubled = views.filter(({ troubles }) => troubles.length > 0);
  const listed = isAll || views.length <= SHARDS_MAX ? views : troubled;
  const parts = [heading(first, answers, views, troubled.length), nodesTable(answers)];
  if (listed.length > 0) parts.push(shardsTable(listed));
  if (listed.length < views.length)
    parts.push(colors.dim(`${views.length - listed.length} more shards are well; --all lists them`));
  const problems = statuses.flatMap(({ node, problems }) =>
    problems.map((problem) => `  node ${node}: ${problem}`),
  );
  if (problems.length > 0)
    parts.push(`${colors.yellow("Not ready:")}\n${printable(problems.join("\n")).replaceAll("\\n", "\n")}`);
  return `${parts.join("\n\n")}\n`;
}

function heading(
  first: NodeStatus,
  answers: readonly Answer[],
  views: readonly ShardView[],
  troubled: number,
): string {
  const ready = answers.filter(({ status }) => status?.ready).length;
  const all = ready === answers.length;
  const standing = `${ready} of ${answers.length} nodes ready`;
  const shards = `${views.length} shards${troubled > 0 ? colors.yellow(`, ${troubled} in trouble`) : ", all well"}`;
  return `${colors.bold(printable(first.cluster))}  ${all ? colors.green(standing) : colors.red(standing)}, ${shards}`;
}

function nodesTable(answers: readonly Answer[]): string {
  const rows = answers.map(({ address, status, problem }) => {
    if (status === undefined)
      return ["?", address, colors.red("no answer"), { content: colors.dim(problem), colSpan: 6 }];
    return nodeRow(status);
  });
  return tableOf(
    ["Node", "Address", "State", "Leads", "Replicas", "In doubt", "Commits/s", "p50", "p99"],
    rows,
    [0, 3, 4, 5, 6, 7, 8],
  );
}

function nodeRow(status: NodeStatus): string[] {
  const { transactions } = status;
  const hosted = status.shards.flatMap(({ here }) => (here === null ? [] : [here]));
  return [
    String(status.node),
    status.address,
    status.ready ? colors.green("ready") : colors.yellow("not ready"),
    String(hosted.filter(({ role }) => role === "leader").length),
    String(hosted.length),
    String(sum(hosted, ({ inDoubt }) => inDoubt)),
    transactions.committedPerSecond.toLocaleString("en-US", { maximumFractionDigits: 1 }),
    ms(transactions.latencyMs?.p50),
    ms(transactions.latencyMs?.p99),
  ];
}

function shardsTable(views: readonly ShardView[]): string {
  const rows = views.map(({ shard, leader, replicas, applied, lag, inDoubt, troubles }) => [
    String(shard),
    leader === null ? colors.red("none") : String(leader),
    replicas.join(" "),
    applied === null ? "–" : applied.toLocaleString("en-US"),
    lag === null ? "–" : lag.toLocaleString("en-US"),
    String(inDoubt),
    troubles.length === 0 ? colors.green("well") : colors.red(printable(troubles.join(", "))),
  ]);
  return tableOf(
    ["Shard", "Leader", "Replicas", "Applied", "Lag", "In doubt", "State"],
    rows,
    [0, 1, 3, 4, 5],
  );
}

function tableOf(head: readonly string[], rows: readonly Table.Cell[][], numeric: readonly number[]): string {
  const table = new Table({
    head: head.map((name) => colors.bold(name)),
    colAligns: head.map((_, i) => (numeric.includes(i) ? "right" : "left")),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows);
  return table.toString();
}

function ms(value: number | undefined): string {
  return value === undefined
    ? "–"
    : `${value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 })} ms`;
}

function sum(hosted: readonly HostedShardStatus[], of: (here: HostedShardStatus) => number): number {
  return hosted.reduce((total, here) => total + of(here), 0);
}
