/** `khonsu export`: many keys as one file, or as a directory of files. */
import { Command, Option } from "commander";
import { type ConnectionFlags, type SelectionFlags, withConnection, withSelection } from "./options.ts";

export interface ExportFlags extends ConnectionFlags, SelectionFlags {
  readonly format?: "arrow" | "csv" | "json";
  readonly delimiter?: string;
  readonly withKeys?: true;
  readonly split?: true;
  readonly quiet?: true;
}

export function exportCommand(): Command {
  const command = new Command("export")
    .description(
      "Writes the rows of the keys selected into one file, all as of one moment, and in place only once it is whole.\nWith --split each key becomes an Arrow file in a directory, of whatever columns; that goes on where it was interrupted.",
    )
    .argument("<file>", "- is standard output")
    .addOption(
      new Option("--format <format>", "default: told by the name; CSV on standard output").choices([
        "arrow",
        "csv",
        "json",
      ]),
    )
    .option("--delimiter <character>", "between the cells of CSV")
    .option("--with-keys", "a column _key with the key of each row")
    .addOption(new Option("--split", "a directory, with a file a key").conflicts(["format", "withKeys"]))
    .option("--quiet", "no progress")
    .action(exportFile);
  return withConnection(withSelection(command));
}

async function exportFile(path: string, flags: ExportFlags): Promise<void> {
  const [{ openStore }, { exportToFile }, { exportToDirectory }, { createProgress }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../client/transfer/export-file.ts"),
    import("../client/transfer/export-directory.ts"),
    import("../demo/progress.ts"),
  ]);
  await using store = await openStore(flags);
  const progress = createProgress(flags.quiet === true);
  const run = flags.split ? exportToDirectory : exportToFile;
  const { rows, keys } = await run(store, path, flags, progress);
  process.stderr.write(`${rows} rows of ${keys} ${keys === 1 ? "key" : "keys"}\n`);
}
