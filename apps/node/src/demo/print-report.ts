/** The report as text for a terminal. */
import colors from "picocolors";
import { LEVELS, type Outcome } from "./anomalies.ts";
import type { CrewResult } from "./crews.ts";
import type { Latency } from "./latency.ts";
import type { Report } from "./report.ts";
import { number, plainTable, row, section, verdict } from "./text.ts";

export function printReport(report: Report): string {
  const sections = [loadLine(report), traffic(report), appenders(report), isolation(report), crash(report)];
  return `\n${[...sections, verdict(report)].join("\n\n")}\n`;
}

function loadLine({ load, machine, options }: Report): string {
  const { flights } = load.totals;
  const where = `Node ${machine.node.slice(1)}, ${machine.platform}, ${machine.cpus} CPUs, seed ${options.seed}`;
  const how = load.isReused
    ? "found in the store, from an earlier run"
    : `loaded in ${number(load.milliseconds)} ms, durably`;
  return `${colors.bold("Khonsu demo")}  ${colors.dim(where)}\n${number(flights)} flights under 96 keys, ${how}.`;
}

function traffic({ traffic, options }: Report): string {
  const { conflicts, audits } = traffic;
  const rows = [
    row(
      "Throughput",
      `${number(traffic.commitsPerSecond)} commits a second`,
      `${number(traffic.commits)} in all, ${number(traffic.flightsMoved)} flights moved`,
    ),
    row(
      "Group commit",
      `${traffic.commitsPerWrite.toFixed(1)} commits a write`,
      "each write is synced before its commits are acknowledged",
    ),
    ...latencyRows(traffic.latency),
    row("Conflicts", `${number(conflicts.writeWrite)} write-write`, "another had written the key"),
    row(
      "",
      `${number(conflicts.serialization)} serialization`,
      "what it read and what it wrote fit no serial order",
    ),
    row("Retries", number(traffic.retries), "every conflict was tried again, until it committed"),
    row("Audits", auditText(audits.safeSnapshot), "sums over all flights, on a safe snapshot: never aborted"),
    row("", auditText(audits.serializable), "serializable"),
    row("", auditText(audits.readCommitted), "read-committed, which may see half of a move"),
  ];
  const heading = `${options.workers} workers reschedule flights, serializable, for ${traffic.seconds.toFixed(1)} s`;
  return section(heading, plainTable(rows));
}

function latencyRows({ p50, p90, p99, p999, max }: Latency): string[][] {
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  return [
    row(
      "Latency",
      `p50 ${ms(p50)}, p99 ${ms(p99)}`,
      `p90 ${ms(p90)}, p99.9 ${ms(p999)}, max ${ms(max)}, retries included`,
    ),
  ];
}

function auditText({ audits, wrong }: { audits: number; wrong: number }): string {
  return `${number(audits)}, ${wrong === 0 ? colors.green("0 wrong") : colors.yellow(`${number(wrong)} wrong`)}`;
}

function appenders({ appenders, options }: Report): string {
  const rows = appenders.map(({ onConflict, rows, retries, milliseconds }) =>
    row(
      `onConflict: ${onConflict}`,
      `${number(retries)} retries`,
      `${number(rows)} rows in ${number(milliseconds)} ms`,
    ),
  );
  return section(`${options.workers} workers append to one key`, plainTable(rows));
}

function isolation({ anomalies, crews }: Report): string {
  const rows = anomalies.map(({ name, story, outcomes }) =>
    row(name, ...LEVELS.map((level) => outcomeText(outcomes[level])), colors.dim(story)),
  );
  const left = row(
    `${crews[0]?.crews} crews at once`,
    ...crews.map(crewText),
    colors.dim("crews that write skew left without anybody"),
  );
  const head = row("", ...LEVELS);
  return section("What each isolation level permits", plainTable([head, ...rows, left]));
}

function crewText({ broken }: CrewResult): string {
  const text = `${broken} broken`;
  return broken === 0 ? colors.green(text) : colors.yellow(text);
}

function outcomeText(outcome: Outcome): string {
  return outcome === "prevented" ? colors.green(outcome) : colors.yellow(outcome);
}

function crash({ crash }: Report): string {
  const share = `${number(crash.recovered)} of ${number(crash.acknowledged)}`;
  const isWhole = crash.recovered === crash.acknowledged;
  const rows = [
    row("Recovered", isWhole ? colors.green(share) : colors.red(share), "acknowledged commits"),
    row("Also there", number(crash.unacknowledged), "on disk as well, killed before they were acknowledged"),
    row("Reopened in", `${number(crash.reopenMilliseconds)} ms`, "checked from end to end, and loaded"),
  ];
  return section("A process is killed with SIGKILL in the middle of its commits", plainTable(rows));
}
