/** `khonsu import`: a big file as many keys. */
import { Command, Option } from "commander";
import { type ConnectionFlags, type InputFlags, wholeNumber, withConnection, withInput } from "./options.ts";

export interface ImportFlags extends ConnectionFlags, InputFlags {
  readonly prefix: string;
  readonly rows: number;
  readonly by?: string;
  readonly exists: "fail" | "replace" | "append";
  readonly restart?: true;
  readonly quiet?: true;
}

export function importCommand(): Command {
  const command = new Command("import")
    .description(
      "Splits a file into batches and writes each under a key of its own. Each part is one transaction together with a note of how far\nthe import is, so one that was interrupted goes on where it was when it is run again, and no row is there twice.\nA directory that export made goes back under the keys it came from.",
    )
    .argument(
      "<file>",
      "Arrow, CSV or JSON lines; - is standard input, which cannot be resumed; or a directory of export",
    )
    .requiredOption("--prefix <text>", "keys begin so")
    .option("--rows <count>", "rows of a part", wholeNumber(1, 10_000_000), 10_000)
    .option(
      "--by <column>",
      "rows with one value of this column go under one key, the prefix and the value (default: a key a part)",
    )
    .addOption(
      new Option("--exists <what>", "what becomes of a key that is there already")
        .choices(["fail", "replace", "append"])
        .default("fail"),
    )
    .option("--restart", "begin anew, though an import of this file or another one was interrupted")
    .option("--quiet", "no progress")
    .action(importFile);
  return withConnection(withInput(command));
}

async function importFile(file: string, flags: ImportFlags): Promise<void> {
  const [{ openStore }, { runImport }, { createProgress }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../client/transfer/run-import.ts"),
    import("../demo/progress.ts"),
  ]);
  await using store = await openStore(flags, { create: true });
  const { rows, keys, skipped } = await runImport(store, file, flags, createProgress(flags.quiet === true));
  const resumed = skipped > 0 ? `, ${skipped} of them before it was interrupted` : "";
  process.stderr.write(`${rows} rows under ${keys} ${keys === 1 ? "key" : "keys"}${resumed}\n`);
}
