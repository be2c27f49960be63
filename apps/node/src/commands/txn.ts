/** `khonsu txn`: a script of operations as one transaction. */
import { Command, Option } from "commander";
import { type ConnectionFlags, withConnection } from "./options.ts";

interface TxnFlags extends ConnectionFlags {
  readonly isolation: "serializable" | "repeatable-read" | "read-committed";
  readonly onConflict: "fail" | "ignore" | "replace" | "append";
  readonly format?: "json" | "table";
}

const SCRIPT = `
A script has one operation a line; keys with blanks stand in quotation marks, # begins a comment:
  get KEY                    print its rows
  scan PREFIX                print the rows of all keys that begin so
  put KEY ROWS               set its rows
  append KEY ROWS            add rows
  upsert KEY ROWS            update rows by the key column, add the others
  delete KEY
  expect KEY absent          undo everything unless it is so; also: exists, version VERSION, rows ROWS
  schema SCHEMA              the types of ROWS in the lines below (without SCHEMA: inferred)
ROWS are an object of JSON, a list of them, or @FILE (Arrow, CSV, JSON lines), relative to the script.`;

export function txnCommand(): Command {
  const command = new Command("txn")
    .description("Runs a script of operations as one transaction and prints what it read.")
    .argument("<file>", "the script; - is standard input")
    .addOption(
      new Option("--isolation <level>", "what the transaction is protected from")
        .choices(["serializable", "repeatable-read", "read-committed"])
        .default("serializable"),
    )
    .addOption(
      new Option("--on-conflict <how>", "what becomes of a write-write conflict")
        .choices(["fail", "ignore", "replace", "append"])
        .default("fail"),
    )
    .addOption(
      new Option("--format <format>", "of what was read (default: tables on a terminal, else JSON)").choices([
        "json",
        "table",
      ]),
    )
    .addHelpText("after", SCRIPT)
    .action(txn);
  return withConnection(command);
}

async function txn(file: string, flags: TxnFlags): Promise<void> {
  const [{ openStore }, { readScript }, { runScript }, { print }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../client/script/read-script.ts"),
    import("../client/script/run-script.ts"),
    import("../files/write-output.ts"),
  ]);
  const script = await readScript(file);
  await using store = await openStore(flags, { create: true });
  const format = flags.format ?? (process.stdout.isTTY ? "table" : "json");
  const { output, committed } = await runScript(store, script, { ...flags, format });
  await print(output);
  process.stderr.write(committed === undefined ? "nothing was written\n" : `committed at ${committed}\n`);
}
