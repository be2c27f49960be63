/** What is said of wrong arguments, in this process; that the status is 2 then is tested with the command line as a whole. */
import type { Command } from "commander";
import { expect, test } from "vitest";
import { deleteCommand } from "../src/commands/delete.ts";
import { exportCommand } from "../src/commands/export.ts";
import { getCommand } from "../src/commands/get.ts";
import { importCommand } from "../src/commands/import.ts";
import { DEFAULT_ADDRESS } from "../src/commands/options.ts";
import { putCommand } from "../src/commands/put.ts";
import { scanCommand } from "../src/commands/scan.ts";
import { statusCommand } from "../src/commands/status.ts";
import { txnCommand } from "../src/commands/txn.ts";
import { watchCommand } from "../src/commands/watch.ts";

const COMMANDS = [
  getCommand,
  putCommand,
  deleteCommand,
  scanCommand,
  txnCommand,
  importCommand,
  exportCommand,
  watchCommand,
  statusCommand,
];

function commandOf(name: string): Command {
  const command = COMMANDS.map((create) => create()).find((command) => command.name() === name)!;
  return command.exitOverride().configureOutput({ writeErr: () => {} });
}

test.each([
  [["get"], "missing required argument 'key'"],
  [["get", "a", "--format", "xml"], "Allowed choices are arrow, csv, json, table"],
  [["put", "a", "b", "--append", "--if-absent"], "cannot be used with"],
  [["scan", "--prefix", "a", "--from", "b"], "cannot be used with"],
  [["scan", "--limit", "0"], "Expected a whole number from 1"],
  [["get", "a", "--address", "localhost"], 'Expected "host:port", such as 127.0.0.1:50052.'],
  [["txn", "a", "--isolation", "none"], "Allowed choices are serializable"],
  [["watch", "--only", "a", "--prefix", "b"], "cannot be used with"],
  [["import", "a"], "required option '--prefix <text>' not specified"],
  [["export", "a", "--split", "--with-keys"], "cannot be used with"],
  [["status", "--watch", "0"], "Expected a whole number from 1 to 3600."],
  [["delete"], "missing required argument 'key'"],
  [["put", "a", "b", "--delimiter", "ab"], "Expected one character."],
])("%j is a wrong use", async ([name = "", ...args], reason) => {
  await expect(commandOf(name).parseAsync(args, { from: "user" })).rejects.toThrow(reason);
});

test("addresses add up, from one option or several, and replace the default", () => {
  const addresses = (...args: string[]) => {
    const command = commandOf("status").action(() => {});
    return command.parse(args, { from: "user" }).opts().address;
  };
  expect(addresses()).toEqual([DEFAULT_ADDRESS]);
  expect(addresses("--address", "a:1,[::1]:2", "--address", "c:3")).toEqual(["a:1", "[::1]:2", "c:3"]);
  expect(addresses("--address", "a:1", "b:2")).toEqual(["a:1", "b:2"]);
});
