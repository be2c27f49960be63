/** `khonsu scan`: the rows of many keys as of one moment, or only which keys there are. */
import { Command } from "commander";
import {
  type ConnectionFlags,
  type OutputFlags,
  type SelectionFlags,
  wholeNumber,
  withConnection,
  withOutput,
  withSelection,
} from "./options.ts";

export interface ScanFlags extends ConnectionFlags, OutputFlags, SelectionFlags {
  readonly limit?: number;
  readonly reverse?: true;
  readonly keys?: true;
}

export function scanCommand(): Command {
  const command = new Command("scan")
    .description(
      "Prints the rows of the keys selected, with a column _key, all as of one moment. Rows are held in memory: export writes more.",
    )
    .option("--limit <count>", "at most so many keys", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .option("--reverse", "from the last key to the first")
    .option("--keys", "only the keys, with their rows counted and their versions")
    .action(scan);
  return withConnection(withOutput(withSelection(command)));
}

async function scan(flags: ScanFlags): Promise<void> {
  const [{ openStore }, { writeBatches }, { scanRows, scanKeys }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../files/write-output.ts"),
    import("../client/scan-store.ts"),
  ]);
  await using store = await openStore(flags);
  const batches = flags.keys ? [await scanKeys(store, flags)] : await scanRows(store, flags);
  await writeBatches(flags.output, batches, flags);
}
