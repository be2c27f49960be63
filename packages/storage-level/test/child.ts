/** Runs a process that works on a database until it is killed, and reads what it says it has done. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Khonsu } from "@khonsu/core";
import { LevelStorage } from "../src/index.ts";
import { audit } from "./ledger.ts";

export interface Ended {
  /** The lines that it wrote. */
  readonly lines: string[];
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it wrote as an error. */
  readonly complaint: string;
}

/**
 * Runs the program `script` of this directory on the database at `location` until it has ended.
 *
 * @param onLine called after each line, and once before the first
 * @param fileBlocksMax a limit on the size of a file, in the blocks of `ulimit -f`; a write beyond it fails
 */
export async function runChild(
  script: string,
  location: string,
  onLine: (child: ChildProcess, lines: number) => void,
  fileBlocksMax?: number,
): Promise<Ended> {
  const program = fileURLToPath(new URL(`./${script}`, import.meta.url));
  const command = [process.execPath, program, location];
  const limited =
    fileBlocksMax === undefined
      ? command
      : ["sh", "-c", `ulimit -f ${fileBlocksMax}; exec "$@"`, "sh", ...command];
  const child = spawn(limited[0]!, limited.slice(1), {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: join(tmpdir(), "khonsu-compile-cache") },
  });
  const exit = once(child, "exit");
  let complaint = "";
  child.stderr.on("data", (chunk) => {
    complaint += String(chunk);
  });
  const lines: string[] = [];
  onLine(child, 0);
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    onLine(child, lines.length);
  }
  const [code, signal] = await exit;
  return { lines, code, signal, complaint };
}

/** The last acknowledged step of each worker, starting from `before`, which the child has found. */
export function acknowledged(lines: readonly string[], before: readonly number[]): number[] {
  const steps = [...before];
  for (const line of lines.filter((one) => one !== "open")) {
    const [worker, step] = line.split(" ").map(Number);
    assert.equal(step, steps[worker!]! + 1, `the child goes on where the store was: ${line}`);
    steps[worker!] = step!;
  }
  return steps;
}

/** Opens the store at `location` and checks what is there: the steps of each worker. */
export async function auditAt(location: string): Promise<number[]> {
  const db = await Khonsu.open({ storage: await LevelStorage.open(location) });
  try {
    return await audit(db);
  } finally {
    await db.close();
  }
}
