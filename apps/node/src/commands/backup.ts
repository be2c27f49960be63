/** `khonsu backup`: everything, as of one moment. */
import { Command } from "commander";
import { type ConnectionFlags, withConnection } from "./options.ts";

export function backupCommand(): Command {
  const command = new Command("backup")
    .description(
      "Writes all keys with their rows into one file, as of one moment, while everybody else works on. It takes its name once it is whole,\nand has a checksum over all of it. It can be restored to a cluster with other nodes and shards, or to a store in a directory.",
    )
    .argument("<file>")
    .option("--quiet", "no progress")
    .action(backup);
  return withConnection(command);
}

async function backup(path: string, flags: ConnectionFlags & { readonly quiet?: true }): Promise<void> {
  const [{ openStore }, { backUp }, { createProgress }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../client/transfer/backup.ts"),
    import("../demo/progress.ts"),
  ]);
  await using store = await openStore(flags);
  const { rows, keys } = await backUp(store, path, createProgress(flags.quiet === true));
  process.stderr.write(`${rows} rows of ${keys} ${keys === 1 ? "key" : "keys"}\n`);
}
