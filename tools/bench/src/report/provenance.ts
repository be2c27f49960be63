/** Where a figure comes from: the command, the machine and how busy it was, and the versions of Node and of what was measured. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";
import { dirname, join } from "node:path";
import type { MachineLoad } from "./machine-load.ts";

export interface Provenance {
  readonly command: string;
  readonly machine: string;
  /** Name and version of each package that takes part. */
  readonly versions: readonly string[];
  readonly load: MachineLoad;
  /** As YYYY-MM-DD. */
  readonly date: string;
}

const MEASURED = [
  "@khonsu/core",
  "apache-arrow",
  "classic-level",
  "effect",
  "etcd3",
  "hashring",
  "lmdb",
] as const;

export async function provenance(command: string, load: MachineLoad): Promise<Provenance> {
  const processors = cpus();
  return {
    command,
    machine: `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}, ${process.platform} ${process.arch}`,
    versions: [
      `node ${process.versions.node}`,
      ...(process.versions.sqlite === undefined ? [] : [`sqlite ${process.versions.sqlite}`]),
      ...(await Promise.all(MEASURED.map(versionOf))),
    ],
    load,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** Walks up from the entry point of a package to its package.json, which `exports` may hide. */
async function versionOf(name: string): Promise<string> {
  let directory = dirname(createRequire(import.meta.url).resolve(name));
  for (;;) {
    const text = await readFile(join(directory, "package.json"), "utf8").catch(() => "{}");
    const found: { name?: string; version?: string } = JSON.parse(text);
    if (found.name === name && found.version !== undefined) return `${name} ${found.version}`;
    const parent = dirname(directory);
    if (parent === directory) throw new Error(`Cannot find the version of ${name}`);
    directory = parent;
  }
}
