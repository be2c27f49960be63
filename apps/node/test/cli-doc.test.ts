/**
 * The examples of docs/cli.md, in their order, in one directory, against three nodes: each prints what the page says, `…` standing for
 * what is different every time, and ends with the status in brackets, or 0.
 */
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { CALM } from "./node/calm.ts";
import { LocalCluster } from "./node/local-cluster.ts";
import { testPath } from "./run-khonsu.ts";

interface Example {
  readonly command: string;
  readonly output: string;
  readonly status: number;
}

const examples = [
  ...readFileSync(testPath("../../../docs/cli.md"), "utf8").matchAll(/^```console\n(.*?)^```$/gms),
]
  .flatMap(([, session = ""]) => session.split(/^\$ /m).slice(1))
  .map(exampleOf);

function exampleOf(text: string): Example {
  const [command = "", ...lines] = text.trimEnd().split("\n");
  const status = lines.at(-1)?.match(/^\[(\d)\]$/)?.[1];
  if (status !== undefined) lines.pop();
  return { command, output: lines.join("\n"), status: Number(status ?? 0) };
}

/** `…` stands for anything in its line. */
function patternOf(output: string): RegExp {
  const lines = output.split("\n").map((line) => line.split("…").map(escaped).join(".*"));
  return new RegExp(`^${lines.join("\n")}$`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

const directory = new TemporaryDirectory("khonsu-cli-doc-");
let cluster: LocalCluster;
beforeAll(async () => {
  cluster = await LocalCluster.open(3, CALM);
  // What `cat` shows on the page is there before.
  for (const { command, output } of examples) {
    const file = command.match(/^cat (\S+)$/)?.[1];
    if (file !== undefined) writeFileSync(join(directory.path, file), `${output}\n`);
  }
});
afterAll(async () => {
  await cluster.close();
  directory[Symbol.dispose]();
});

function run(command: string): Promise<{ output: string; status: number }> {
  const shell = `khonsu() { "${process.execPath}" "${testPath("../bin/khonsu.mjs")}" "$@"; }\n${command}`;
  const { FORCE_COLOR: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    NO_COLOR: "1",
    KHONSU_ADDRESS: cluster.nodes.map(({ address }) => address).join(","),
  };
  return new Promise((resolve) => {
    execFile("sh", ["-c", `{ ${shell}\n} 2>&1`], { cwd: directory.path, env }, (error, stdout) => {
      const status = typeof error?.code === "number" ? error.code : error === null ? 0 : -1;
      resolve({ output: stdout.trimEnd(), status });
    });
  });
}

test("there are examples", () => {
  expect(examples.length).toBeGreaterThan(30);
});

test.each(examples)("$command", async ({ command, output, status }) => {
  const found = await run(command);
  expect(found.output).toMatch(patternOf(output));
  expect(found.status).toBe(status);
});
