/** Where a figure comes from: the command, the machine and how busy it was, and the versions of Node and of what was measured. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";

export interface Provenance {
  readonly command: string;
  readonly machine: string;
  /** Name and version of each package that takes part. */
  readonly versions: readonly string[];
  /** Of the machine in the five minutes before; above the number of processors, others took part of them. */
  readonly load: number;
  /** Whether the load was above the number of processors. */
  readonly isBusy: boolean;
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

/** To be called before the run that it is about, for the load. */
export async function provenance(command: string): Promise<Provenance> {
  const processors = cpus();
  return {
    command,
    machine: `${processors.length} × ${processors[0]?.model.trim() ?? "unknown"}, ${process.platform} ${process.arch}`,
    versions: [
      `node ${process.versions.node}`,
      ...(process.versions.sqlite === undefined ? [] : [`sqlite ${process.versions.sqlite}`]),
      ...(await Promise.all(MEASURED.map(versionOf))),
    ],
    load: Number(loadavg()[1]!.toFixed(1)),
    isBusy: loadavg()[1]! > processors.length,
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
