/** `khonsu put`: the rows of a file under one key. */
import { Command, Option } from "commander";
import { type ConnectionFlags, type InputFlags, wholeNumber, withConnection, withInput } from "./options.ts";

interface PutFlags extends ConnectionFlags, InputFlags {
  readonly append?: true;
  readonly upsert?: true;
  readonly keyColumn?: string | false;
  readonly ifAbsent?: true;
  readonly ifVersion?: number;
}

export function putCommand(): Command {
  const command = new Command("put")
    .description("Sets the rows of a key to those of a file, or adds them to it.")
    .argument("<key>")
    .argument("<file>", "Arrow, CSV or JSON lines; - is standard input")
    .addOption(new Option("--append", "add the rows to those that the key has").conflicts(["upsert"]))
    .addOption(
      new Option(
        "--upsert",
        "update the rows with the same value in the key column, add the others",
      ).conflicts(["append"]),
    )
    .option("--key-column <name>", 'the column that tells rows apart (default: "id")')
    .addOption(
      new Option("--if-absent", "only if the key is absent").conflicts(["append", "upsert", "ifVersion"]),
    )
    .addOption(
      new Option("--if-version <version>", "only if the key has this version (see scan --keys)")
        .argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER))
        .conflicts(["append", "upsert"]),
    )
    .action(put);
  return withConnection(withInput(command));
}

async function put(key: string, file: string, flags: PutFlags): Promise<void> {
  const [{ openStore }, { readWhole }, { writeRows }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../files/read-whole.ts"),
    import("../client/write-rows.ts"),
  ]);
  const rows = await readWhole(file, flags);
  await using store = await openStore(flags, { create: true });
  const timestamp = await writeRows(store, key, rows, flags);
  process.stderr.write(
    `${key}: ${rows.numRows} ${rows.numRows === 1 ? "row" : "rows"}, committed at ${timestamp}\n`,
  );
}
