/**
 * What the files of a LevelDB say before LevelDB opens them. It makes the best of a damaged directory without a word: it takes
 * one without CURRENT for empty and deletes what is there, does not miss a log, and skips what it cannot read in one.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { corrupt } from "./failures.ts";
import { damageInLog } from "./log-check.ts";

/** What is in a directory, as far as it bears on whether an empty database can be believed. */
export interface Files {
  /** Whether the database may be empty because it is new: there is no table, and what a torn log held was never acknowledged. */
  readonly pristine: boolean;
}

/** The manifest that a database is created with; the first opening writes the next. */
const FIRST_MANIFEST = "MANIFEST-000001";

/**
 * Checks the directory at `location`, which need not be there.
 *
 * @param isCovered whether a journal has all that the logs may have lost, so that these are not checked.
 */
export async function checkFiles(location: string, isCovered = false): Promise<Files> {
  const files: string[] = await readdir(location).catch(() => []);
  const logs = files.filter((file) => /^\d+\.log$/.test(file));
  const tables = files.filter((file) => /^\d+\.(ldb|sst)$/.test(file));
  if (!files.includes("CURRENT")) {
    const manifests = files.filter((file) => /^MANIFEST-\d+$/.test(file) && file !== FIRST_MANIFEST);
    const remains = [...logs, ...tables, ...manifests, ...(isCovered ? ["a journal"] : [])];
    if (remains.length === 0) return { pristine: true };
    throw corrupt(
      `${location} has ${remains.join(", ")} but not the file CURRENT that says which of them count`,
    );
  }
  const current = (await readFile(join(location, "CURRENT"), "utf8")).trim();
  if (isCovered) return { pristine: false };
  if (logs.length === 0 && current !== FIRST_MANIFEST) throw corrupt(`${location} has lost its log`);
  for (const log of logs) await checkLog(join(location, log));
  return { pristine: tables.length === 0 };
}

async function checkLog(path: string): Promise<void> {
  const damage = damageInLog(await readFile(path));
  if (damage !== undefined) throw corrupt(`the log ${path} is damaged at byte ${damage}`);
}
