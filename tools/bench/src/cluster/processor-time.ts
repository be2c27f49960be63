/**
 * The processor's time that the members of a cluster and the process of its clients use while something runs, by case. What members use
 * while nothing happens is measured once and taken off. The counters of the system have steps of 10 ms.
 */
import type { Detail } from "../report/row.ts";
import type { RanOperations } from "./client-messages.ts";
import type { MemberProcess } from "./member-process.ts";

/** How long the idle members are watched. */
const IDLE_MS = 3000;

interface Used {
  operations: number;
  seconds: number;
  memberSeconds: number;
  clientSeconds: number;
}

export class ProcessorTime {
  readonly #members: readonly MemberProcess[];
  /** Of all members, a second, while nothing happens. */
  readonly idlePerSecond: number;
  readonly #cases = new Map<string, Used>();

  private constructor(members: readonly MemberProcess[], idlePerSecond: number) {
    this.#members = members;
    this.idlePerSecond = idlePerSecond;
  }

  /** Watches the members for a while in which nothing else must happen to them. */
  static async of(members: readonly MemberProcess[]): Promise<ProcessorTime> {
    const [started, before] = [performance.now(), await secondsOf(members)];
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    const used = (await secondsOf(members)) - before;
    return new ProcessorTime(members, (used * 1000) / (performance.now() - started));
  }

  /** Adds to what `name` has used so far. */
  async during(name: string, run: () => Promise<RanOperations>): Promise<RanOperations> {
    const [started, before] = [performance.now(), await secondsOf(this.#members)];
    const ran = await run();
    const seconds = (performance.now() - started) / 1000;
    const used = this.#cases.get(name) ?? { operations: 0, seconds: 0, memberSeconds: 0, clientSeconds: 0 };
    used.operations += ran.latencies.length;
    used.seconds += seconds;
    used.memberSeconds += (await secondsOf(this.#members)) - before;
    used.clientSeconds += ran.cpuSeconds;
    this.#cases.set(name, used);
    return ran;
  }

  /** @returns a row for `name`; undefined where nothing ran under it. */
  row(name: string, subject: string): Detail | undefined {
    const used = this.#cases.get(name);
    if (used === undefined) return undefined;
    const { operations, seconds, memberSeconds, clientSeconds } = used;
    const each = (cpuSeconds: number) => (Math.max(0, cpuSeconds) * 1e6) / operations;
    const nodes = each(memberSeconds - this.idlePerSecond * seconds);
    const clients = each(clientSeconds);
    return {
      case: name,
      subject,
      "nodes µs an operation": Math.round(nodes),
      "clients µs an operation": Math.round(clients),
      "together µs": Math.round(nodes + clients),
      "processors used by nodes": rounded(memberSeconds / seconds),
      "by clients": rounded(clientSeconds / seconds),
    };
  }
}

async function secondsOf(members: readonly MemberProcess[]): Promise<number> {
  const each = await Promise.all(members.map((member) => member.cpuSeconds()));
  return each.reduce((sum, seconds) => sum + seconds, 0);
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
