/** A node as a process of its own: `khonsu serve`, started, killed, paused and started again on the same directory. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ProtocolRange } from "@khonsu/transport-connect";
import type { NodeStatus } from "../../src/node/node-status.ts";

const MAIN = fileURLToPath(new URL("../../bin/khonsu.mjs", import.meta.url));
const SPEAKING = fileURLToPath(new URL("./serve-speaking.ts", import.meta.url));
/** Lines of the log that are kept to be shown when something goes wrong. */
const LOG_LINES_MAX = 200;

export class NodeProcess {
  readonly node: number;
  readonly address: string;
  /** The path of its configuration file. */
  readonly config: string;
  /** The versions of the protocol between nodes that it speaks from its next start on. Default: those of the product. */
  speaks: ProtocolRange | undefined = undefined;
  readonly #data: string;
  readonly #log: string[] = [];
  #child: ChildProcess | undefined;

  /** @param config the path of the configuration file. @param data that of the data directory. */
  constructor(node: number, address: string, config: string, data: string) {
    this.node = node;
    this.address = address;
    this.config = config;
    this.#data = data;
  }

  get isRunning(): boolean {
    return this.#child !== undefined;
  }

  get log(): string {
    return this.#log.join("\n");
  }

  /** Starts the process; resolves with what resolves once it says that it serves, and rejects if it ends before. */
  start(): { readonly serves: Promise<void> } {
    if (this.#child !== undefined) throw new Error(`node ${this.node} runs already`);
    const { max, min } = this.speaks ?? {};
    const program = this.speaks === undefined ? [MAIN, "serve"] : [SPEAKING, `--speaks=${min}-${max}`];
    const child = spawn(process.execPath, [...program, "--config", this.config], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NO_COLOR: "1" },
    });
    this.#child = child;
    const lines = createInterface({ input: child.stderr! });
    lines.on("line", (line) => {
      this.#log.push(line);
      if (this.#log.length > LOG_LINES_MAX) this.#log.shift();
    });
    const serves = this.#untilServing(child);
    // Whoever does not wait for it, because he kills the process first, is not to be ended by that.
    serves.catch(() => {});
    return { serves };
  }

  async #untilServing(child: ChildProcess): Promise<void> {
    const isServing = (async () => {
      for await (const line of createInterface({ input: child.stdout! })) {
        if (line.includes(" serves at ")) return true;
      }
      return false;
    })();
    const ended = once(child, "exit").then(() => false);
    if (!(await Promise.race([isServing, ended]))) {
      throw new Error(`node ${this.node} ended before it served:\n${this.log}`);
    }
  }

  /** Sends a signal and waits for the end. @returns the exit status; null if the signal ended it. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    const child = this.#child;
    if (child === undefined) return null;
    this.#child = undefined;
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, "exit");
    child.kill(signal);
    const [status] = await exited;
    return status;
  }

  /** Loses its disk. Not while it runs. */
  wipe(): Promise<void> {
    if (this.isRunning) throw new Error(`node ${this.node} runs`);
    return rm(this.#data, { recursive: true });
  }

  /** SIGSTOP, or SIGCONT. */
  pause(isPaused: boolean): void {
    this.#child?.kill(isPaused ? "SIGSTOP" : "SIGCONT");
  }

  async status(): Promise<NodeStatus> {
    const response = await fetch(`http://${this.address}/status.json`, { signal: AbortSignal.timeout(5000) });
    return (await response.json()) as NodeStatus;
  }
}
