/** A member of a cluster as a process of its own, which can be killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

/** Lines of output that are kept to be shown when something goes wrong. */
const LOG_LINES_MAX = 50;
/** Ticks a second of the counters in /proc, which Linux has fixed for programs. */
const TICKS_PER_SECOND = 100;

/** Those that run: none outlives this process. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class MemberProcess {
  readonly #command: string;
  readonly #args: readonly string[];
  readonly #log: string[] = [];
  #child: ChildProcess | undefined;

  constructor(command: string, args: readonly string[]) {
    this.#command = command;
    this.#args = args;
  }

  get log(): string {
    return this.#log.join("\n");
  }

  /** Resolves once the process runs. @throws Error if the program is not there. */
  async start(): Promise<void> {
    const child = spawn(this.#command, this.#args, { stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    child.once("exit", () => running.delete(child));
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.#log.push(line);
        if (this.#log.length > LOG_LINES_MAX) this.#log.shift();
      });
    }
    await once(child, "spawn");
    this.#child = child;
  }

  /** @throws Error with the last output if the process has ended by itself. */
  assertRunning(): void {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) return;
    throw new Error(`${this.#command} ended:\n${this.log}`);
  }

  /** Kills the process, as a crash would, and waits for its end. Does nothing where there is none. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** The processor's time that the process has used, in seconds; 0 where the system does not tell. */
  async cpuSeconds(): Promise<number> {
    const text = await readFile(`/proc/${this.#child?.pid}/stat`, "utf8").catch(() => "");
    // The name of the program, in brackets, may hold spaces; user and system time are the 12th and 13th field after it.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_PER_SECOND;
  }
}
