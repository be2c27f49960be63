/** Options that several commands share: where the data is, and what form rows have. */
import { type Command, InvalidArgumentError, Option } from "commander";

/** Where the data is. */
export interface ConnectionFlags {
  readonly address: readonly string[];
  readonly token?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly certificate?: string;
  readonly key?: string;
  readonly tls?: true;
  readonly dir?: string;
}

/** Of node 1: 50051 and the number of the node. */
export const DEFAULT_ADDRESS = "127.0.0.1:50052";

/** Which nodes, or the store in a directory. */
export function withConnection(command: Command): Command {
  return withNodes(command).addOption(
    new Option("--dir <path>", "work on the embedded store in this directory instead of a cluster").env(
      "KHONSU_DIR",
    ),
  );
}

/** Which nodes, and how to be let in. */
export function withNodes(command: Command): Command {
  return command
    .addOption(
      new Option("--address <host:port...>", "nodes of the cluster; the first that answers is asked")
        .env("KHONSU_ADDRESS")
        .argParser(addresses)
        .default([DEFAULT_ADDRESS]),
    )
    .addOption(
      new Option("--token <token>", "bearer token; better in the environment than among the arguments").env(
        "KHONSU_TOKEN",
      ),
    )
    .addOption(new Option("--token-file <file>", "file with the bearer token").env("KHONSU_TOKEN_FILE"))
    .addOption(new Option("--tls", "speak TLS; so do --ca and --certificate").env("KHONSU_TLS"))
    .addOption(new Option("--ca <file>", "PEM file: whose certificates are believed").env("KHONSU_CA"))
    .addOption(
      new Option("--certificate <file>", "PEM file: what is shown to nodes that ask for it, with --key").env(
        "KHONSU_CERTIFICATE",
      ),
    )
    .addOption(new Option("--key <file>", "PEM file: the private key of --certificate").env("KHONSU_KEY"));
}

export interface InputFlags {
  readonly inputFormat?: "arrow" | "csv" | "json";
  readonly schema?: string;
  readonly delimiter?: string;
}

export function withInput(command: Command): Command {
  return command
    .addOption(
      new Option("--input-format <format>", "default: told by the name, or by the first bytes").choices([
        "arrow",
        "csv",
        "json",
      ]),
    )
    .option(
      "--schema <schema>",
      'types of the columns of CSV and JSON, such as "id: int64, at: timestamp[us, UTC]" (default: inferred)',
    )
    .addOption(delimiterOption());
}

export interface OutputFlags {
  readonly format?: "arrow" | "csv" | "json" | "table";
  readonly output: string;
  readonly delimiter?: string;
}

export function withOutput(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--format <format>",
        "default: a table on a terminal, by the name of a file, otherwise CSV",
      ).choices(["arrow", "csv", "json", "table"]),
    )
    .option("-o, --output <file>", "where the rows go; - is standard output", "-")
    .addOption(delimiterOption());
}

function delimiterOption(): Option {
  return new Option(
    "--delimiter <character>",
    "between the cells of CSV (default: a comma, a tab in .tsv)",
  ).argParser((text) => {
    if ([...text].length !== 1) throw new InvalidArgumentError("Expected one character.");
    return text;
  });
}

export interface SelectionFlags {
  readonly prefix?: string;
  readonly from?: string;
  readonly to?: string;
}

/** Which keys. */
export function withSelection(command: Command): Command {
  return command
    .addOption(new Option("--prefix <text>", "keys that begin so").conflicts(["from", "to"]))
    .option("--from <key>", "keys from this one on")
    .option("--to <key>", "keys below this one");
}

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max))
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** Given again, or with commas between them, they add up. */
function addresses(text: string, before: readonly string[] | undefined): readonly string[] {
  const given = text.split(",").map((address) => address.trim());
  for (const address of given) {
    if (!/^(\[[0-9a-fA-F:.]+\]|[^\s:[\]/]+):\d{1,5}$/.test(address))
      throw new InvalidArgumentError(`Expected "host:port", such as ${DEFAULT_ADDRESS}.`);
  }
  return before === undefined || (before.length === 1 && before[0] === DEFAULT_ADDRESS)
    ? given
    : [...before, ...given];
}
