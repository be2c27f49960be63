/** Runs the command line as its users do: as a process, with its two outputs and its exit status. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAIN = fileURLToPath(new URL("../bin/khonsu.mjs", import.meta.url));

export function runKhonsu(...args: string[]): Promise<Outcome> {
  return runKhonsuWith({}, ...args);
}

export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** What stands on standard input. Default: nothing. */
  readonly input?: string | Uint8Array;
}

export function runKhonsuWith({ env = {}, input }: Surroundings, ...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const options = { env: { ...withoutColours(), ...env }, maxBuffer: 2 ** 28 };
    const child = execFile(process.execPath, [MAIN, ...args], options, (error, stdout, stderr) => {
      const status = typeof error?.code === "number" ? error.code : error === null ? 0 : -1;
      resolve({ status, stdout, stderr });
    });
    child.stdin!.end(input);
  });
}

/** Runs it until it says `line` on standard error, and asks it to end then. @returns its exit status */
export async function endKhonsuAt(line: RegExp, env: NodeJS.ProcessEnv, ...args: string[]): Promise<number> {
  const stdio = ["ignore", "ignore", "pipe"] as const;
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...process.env, ...env },
    stdio: [...stdio],
  });
  const closed = once(child, "close");
  for await (const text of createInterface({ input: child.stderr! }))
    if (line.test(text)) child.kill("SIGTERM");
  const [status] = await closed;
  return status;
}

/** A path beside the tests. */
export function testPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function withoutColours(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...env } = process.env;
  return { ...env, NO_COLOR: "1" };
}
