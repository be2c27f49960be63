/** `khonsu get`: the rows of one key. */
import { Command } from "commander";
import { type ConnectionFlags, type OutputFlags, withConnection, withOutput } from "./options.ts";

export function getCommand(): Command {
  const command = new Command("get").description("Prints the rows of a key.").argument("<key>").action(get);
  return withConnection(withOutput(command));
}

async function get(key: string, flags: ConnectionFlags & OutputFlags): Promise<void> {
  const [{ openStore }, { writeBatches }, { keyAbsent }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../files/write-output.ts"),
    import("../client/key-absent.ts"),
  ]);
  await using store = await openStore(flags);
  const batch = await store.transact((tx) => tx.read(key), { readOnly: true });
  if (batch === undefined) throw keyAbsent(key);
  await writeBatches(flags.output, [batch], flags);
}
