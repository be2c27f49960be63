/** `khonsu watch`: what is committed, as it is committed. */
import { Command, Option } from "commander";
import {
  type ConnectionFlags,
  type SelectionFlags,
  wholeNumber,
  withConnection,
  withSelection,
} from "./options.ts";

interface WatchFlags extends ConnectionFlags, SelectionFlags {
  readonly only?: string;
  readonly fromTimestamp?: number;
  readonly count?: number;
  readonly format?: "json" | "text";
}

export function watchCommand(): Command {
  const command = new Command("watch")
    .description("Prints changes as they are committed, until it is interrupted.")
    .addOption(new Option("--only <key>", "only this key").conflicts(["prefix", "from", "to"]))
    .option(
      "--from-timestamp <timestamp>",
      "begin with the changes after this commit (default: with the next one)",
      wholeNumber(0, Number.MAX_SAFE_INTEGER),
    )
    .option("--count <changes>", "end after so many changes", wholeNumber(1, Number.MAX_SAFE_INTEGER))
    .addOption(
      new Option(
        "--format <format>",
        "json: with the rows, one change a line (default: text on a terminal)",
      ).choices(["json", "text"]),
    )
    .action(watch);
  return withConnection(withSelection(command));
}

async function watch(flags: WatchFlags): Promise<void> {
  const [{ openStore }, { changeLines }, { print }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../client/change-lines.ts"),
    import("../files/write-output.ts"),
  ]);
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  await using store = await openStore(flags);
  const format = flags.format ?? (process.stdout.isTTY ? "text" : "json");
  const { only, prefix, from, to } = flags;
  const selection = only !== undefined ? { key: only } : prefix !== undefined ? { prefix } : { from, to };
  const lines = changeLines(store, { ...flags, selection, format, signal: interrupted.signal });
  await print(lines);
}
