// The verdict as text for people, and as JSON for programs.
import pc from "picocolors";
import type { History } from "../history/index.ts";
import type { Fault, Verdict } from "./judge.ts";

/** What was checked, what was found, and what that means. */
export function textReport(
  source: string,
  history: History,
  verdict: Verdict,
  pictures: ReadonlyMap<Fault, string>,
): string {
  const proscribed = verdict.faults.filter((fault) => fault.isProscribed);
  const others = verdict.faults.filter((fault) => !fault.isProscribed);
  const tell = (fault: Fault): string => faultText(fault, verdict, pictures.get(fault));
  return [
    summary(source, history),
    "",
    ...proscribed.map(tell),
    ...(others.length > 0
      ? [pc.bold(`Seen as well, though ${verdict.model} allows it:`), "", ...others.map(tell)]
      : []),
    ...Object.entries(verdict.judged).map(([name, judged]) => `${name}: ${judged} observations judged.`),
    ...verdict.givenUp.map((what) => pc.yellow(`Given up, because the search grew too large: ${what}.`)),
    ...(verdict.notRuledOut.length > 0 ? [`Not ruled out: ${verdict.notRuledOut.join(", ")}.`] : []),
    conclusion(verdict),
    "",
  ].join("\n");
}

/** The same, with the operations of each fault in full. */
export function jsonReport(
  source: string,
  history: History,
  verdict: Verdict,
  pictures: ReadonlyMap<Fault, string>,
): string {
  const faults = verdict.faults.map((fault) => {
    const { anomaly, failure, ...told } = fault;
    return {
      ...told,
      ...(anomaly === undefined ? {} : { cycle: anomaly.cycle }),
      ...(failure === undefined
        ? {}
        : { key: failure.key, blocked: failure.blocked, longest: failure.longest }),
      operations: fault.transactions.map((index) => ({ index, ...history[index]! })),
      picture: pictures.get(fault),
    };
  });
  return `${JSON.stringify({ history: source, operations: history.length, ...verdict, faults }, undefined, 2)}\n`;
}

function summary(source: string, history: History): string {
  const count = (outcome: string): number =>
    history.filter((operation) => operation.outcome === outcome).length;
  const processes = new Set(history.map((operation) => operation.process)).size;
  const outcomes = ["ok", "fail", "unknown"].map((outcome) => `${count(outcome)} ${outcome}`).join(", ");
  return `${pc.bold(source)}: ${history.length} operations of ${processes} processes (${outcomes})`;
}

function faultText(fault: Fault, verdict: Verdict, picture: string | undefined): string {
  const shown = verdict.faults.filter((other) => other.kind === fault.kind);
  const count = verdict.counts[fault.kind] ?? shown.length;
  const number = count > 1 ? ` (${shown.indexOf(fault) + 1} of ${count})` : "";
  const colour = fault.isProscribed ? pc.red : pc.yellow;
  return [
    colour(pc.bold(`${fault.kind}${number}`)),
    ...fault.explanation.split("\n").map((line) => `  ${line}`),
    ...(picture === undefined ? [] : [`  Picture: ${picture}`]),
    "",
  ].join("\n");
}

function conclusion({ valid, model, faults }: Verdict): string {
  const name = model === "none" ? "the checks asked for" : model;
  if (valid === true) return pc.green(`No anomaly that ${name} proscribes.`);
  if (valid === "unknown")
    return pc.yellow(`No anomaly was found, but the search was not finished: ${name} is not decided.`);
  const kinds = [...new Set(faults.filter((fault) => fault.isProscribed).map((fault) => fault.kind))];
  return pc.red(pc.bold(`Not ${name}: ${kinds.join(", ")}.`));
}
