// What the reads of a register show without a cycle: AN-3, AN-4, AN-5, AN-7, and RD-3.
import { operationName } from "../../history/describe.ts";
import type { History } from "../../history/operation.ts";
import type { Findings } from "./findings.ts";
import { AMBIGUOUS, type RegisterHistory } from "./key-history.ts";
import { UNKNOWN } from "./register-order.ts";

/** AN-3, AN-4, AN-5, AN-7 for registers, and reads of what the reader writes only later. */
export function findRegisterAnomalies(
  register: RegisterHistory,
  seen: Int32Array,
  history: History,
  findings: Findings,
): void {
  const key = JSON.stringify(register.key);
  for (const [read, write] of seen.entries()) {
    const reader = register.readBy[read]!;
    const saw = `${operationName(reader)} read ${key} = ${JSON.stringify(register.readValues[read])}`;
    if (write === UNKNOWN && register.writeOf.get(register.readValues[read]!) !== AMBIGUOUS) {
      findings.add("phantom-value", [reader], `${saw}, which no transaction ever wrote.`, register.key);
    }
    if (write < 0) continue;
    const writer = register.writtenBy[write]!;
    const name = operationName(writer);
    if (writer === reader) {
      findings.add("internal", [reader], `${saw}, which it wrote only afterwards.`, register.key);
    } else if (history[writer]!.outcome === "fail") {
      const why = `${saw}, which ${name} wrote and then aborted: an aborted read.`;
      findings.add("G1a", [reader, writer], why, register.key);
    } else if (!register.isLast[write]) {
      const why = `${saw}; but ${name}, which wrote that, wrote to the key again: an intermediate read.`;
      findings.add("G1b", [reader, writer], why, register.key);
    }
  }
  findLostUpdates(register, seen, findings);
}

function findLostUpdates(register: RegisterHistory, seen: Int32Array, findings: Findings): void {
  const updaters = new Map<number, Map<number, number>>();
  for (const [read] of register.readThenWrite) {
    const write = seen[read]!;
    if (write === UNKNOWN) continue;
    const group = updaters.get(write) ?? new Map<number, number>();
    updaters.set(write, group.set(register.readBy[read]!, read));
  }
  for (const group of updaters.values()) {
    if (group.size < 2) continue;
    const [read] = [...group.values()];
    const names = [...group.keys()].map(operationName).join(" and ");
    const value = JSON.stringify(register.readValues[read!]);
    const why = `${names} all read ${JSON.stringify(register.key)} = ${value} and then wrote it: each but the first overwrote a version that it had not seen.`;
    findings.add("lost-update", [...group.keys()], why, register.key);
  }
}
