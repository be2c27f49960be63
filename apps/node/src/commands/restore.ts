/** `khonsu restore`: what a backup holds, back into a store. */
import { Command, Option } from "commander";
import { type ConnectionFlags, withConnection } from "./options.ts";

interface RestoreFlags extends ConnectionFlags {
  readonly exists: "fail" | "replace";
  readonly restart?: true;
  readonly quiet?: true;
}

export function restoreCommand(): Command {
  const command = new Command("restore")
    .description(
      "Writes the keys of a backup. All of the file is checked before the first is written. One that was interrupted goes on where it was\nwhen it is run again. Keys that the backup does not have stay.",
    )
    .argument("<file>", "made by backup")
    .addOption(
      new Option("--exists <what>", "what becomes of a key that is there already")
        .choices(["fail", "replace"])
        .default("fail"),
    )
    .option("--restart", "begin anew, though the restore of another backup was interrupted")
    .option("--quiet", "no progress")
    .action(restoreFile);
  return withConnection(command);
}

async function restoreFile(path: string, flags: RestoreFlags): Promise<void> {
  const [{ openStore }, { restore }, { createProgress }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../client/transfer/backup.ts"),
    import("../demo/progress.ts"),
  ]);
  await using store = await openStore(flags, { create: true });
  const { rows, keys } = await restore(store, path, flags, createProgress(flags.quiet === true));
  process.stderr.write(`${rows} rows under ${keys} ${keys === 1 ? "key" : "keys"}\n`);
}
