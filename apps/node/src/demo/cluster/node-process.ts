/** A node of the demo: `khonsu serve` as a process, killed and started again on the same directory. It dies with the demo. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CommandError } from "../../failure.ts";
import type { NodeStatus } from "../../node/node-status.ts";

const MAIN = fileURLToPath(new URL("../../../bin/khonsu.mjs", import.meta.url));
/** Lines of the log that are kept, to be shown when the node ends by itself. */
const LOG_LINES_MAX = 40;
const STATUS_MS = 5000;

export class NodeProcess {
  readonly node: number;
  /** As host:port. */
  readonly address: string;
  readonly #config: string;
  readonly #log: string[] = [];
  #child: ChildProcess | undefined;

  /** @param config the path of its configuration file */
  constructor(node: number, address: string, config: string) {
    this.node = node;
    this.address = address;
    this.#config = config;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get log(): string {
    return this.#log.join("\n");
  }

  /** Starts the process. Resolves once it serves. @throws CommandError if it ends before */
  async start(): Promise<void> {
    const child = spawn(process.execPath, [MAIN, "serve", "--config", this.#config], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    this.#child = child;
    // Before the directory is removed, which it would make anew.
    process.prependListener("exit", this.#killAtOnce);
    createInterface({ input: child.stderr! }).on("line", (line) => {
      this.#log.push(line);
      if (this.#log.length > LOG_LINES_MAX) this.#log.shift();
    });
    if (await saysThatItServes(child)) return;
    throw new CommandError(`Node ${this.node} of the demo ended before it served:\n${this.log}`);
  }

  /** SIGKILL: the process has no say. Resolves once it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    process.off("exit", this.#killAtOnce);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** Undefined while it does not answer. */
  async status(): Promise<NodeStatus | undefined> {
    try {
      const signal = AbortSignal.timeout(STATUS_MS);
      const response = await fetch(`http://${this.address}/status.json`, { signal });
      return response.ok ? ((await response.json()) as NodeStatus) : undefined;
    } catch {
      return undefined;
    }
  }

  readonly #killAtOnce = (): void => void this.#child?.kill("SIGKILL");
}

/** False if it ends before. */
async function saysThatItServes(child: ChildProcess): Promise<boolean> {
  const lines = createInterface({ input: child.stdout! });
  const says = new Promise<boolean>((resolve) => {
    lines.on("line", (line) => line.includes(" serves at ") && resolve(true));
  });
  return Promise.race([says, once(child, "exit").then(() => false)]);
}
