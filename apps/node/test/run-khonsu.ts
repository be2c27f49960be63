/** Runs the command line as its users do: as a process, with its two outputs and its exit status. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export function runKhonsu(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...args], { env: withoutColours() }, (error, stdout, stderr) => {
      const status = typeof error?.code === "number" ? error.code : error === null ? 0 : -1;
      resolve({ status, stdout, stderr });
    });
  });
}

/** A path beside the tests. */
export function testPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

function withoutColours(): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...env } = process.env;
  return { ...env, NO_COLOR: "1" };
}
