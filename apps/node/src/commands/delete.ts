/** `khonsu delete`: keys, all of them in one transaction. */
import { Command } from "commander";
import { type ConnectionFlags, withConnection } from "./options.ts";

export function deleteCommand(): Command {
  const command = new Command("delete")
    .description("Deletes keys, all in one transaction. Each has to be there, unless --missing-ok.")
    .argument("<key...>")
    .option("--missing-ok", "keys that are absent are no error")
    .action(deleteKeys);
  return withConnection(command);
}

async function deleteKeys(
  keys: readonly string[],
  flags: ConnectionFlags & { readonly missingOk?: true },
): Promise<void> {
  const [{ openStore }, { keyAbsent }] = await Promise.all([
    import("../client/store-client.ts"),
    import("../client/key-absent.ts"),
  ]);
  await using store = await openStore(flags);
  const deleted = await store.transact(async (tx) => {
    let count = 0;
    for (const key of new Set(keys)) {
      if (await tx.has(key)) {
        tx.delete(key);
        count++;
      } else if (!flags.missingOk) throw keyAbsent(key);
    }
    return count;
  });
  process.stderr.write(`${deleted} ${deleted === 1 ? "key" : "keys"} deleted\n`);
}
