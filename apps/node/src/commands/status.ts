/** `khonsu status`: nodes, shards, leaders and lag. */
import { Command } from "commander";
import { type ConnectionFlags, wholeNumber, withNodes } from "./options.ts";

interface StatusFlags extends ConnectionFlags {
  readonly json?: true;
  readonly all?: true;
  readonly watch?: number | true;
}

export function statusCommand(): Command {
  const command = new Command("status")
    .description(
      "Shows the nodes of a cluster and its shards, with their leaders and lag. The exit status is 1 unless every node is ready.",
    )
    .option("--json", "what each node says, as a list of JSON")
    .option("--all", "list all shards, also where they are many")
    .option(
      "--watch [seconds]",
      "again and again, until interrupted (default: every 2 seconds)",
      wholeNumber(1, 3600),
    )
    .action(status);
  return withNodes(command);
}

async function status(flags: StatusFlags): Promise<void> {
  const [{ fetchCluster }, { statusText }, { tlsOf, tokenOf }] = await Promise.all([
    import("../client/status/fetch-status.ts"),
    import("../client/status/status-text.ts"),
    import("../client/credentials.ts"),
  ]);
  const connection = { addresses: flags.address, token: await tokenOf(flags), tls: await tlsOf(flags) };
  const show = async (): Promise<void> => {
    const answers = await fetchCluster(connection);
    const text = flags.json
      ? `${JSON.stringify(answers, undefined, flags.watch === undefined ? 2 : 0)}\n`
      : statusText(answers, { isAll: flags.all === true });
    // The screen is cleared only once there is something new to show.
    const clear = flags.watch !== undefined && process.stdout.isTTY ? "\u001b[H\u001b[2J\u001b[3J" : "";
    process.stdout.write(clear + text);
    process.exitCode = answers.every(({ status }) => status?.ready) ? 0 : 1;
  };
  if (flags.watch === undefined) await show();
  else await again(show, flags.watch === true ? 2 : flags.watch);
}

/** A node that does not answer for a while does not end the watch. */
async function again(show: () => Promise<void>, seconds: number): Promise<void> {
  const { describeFailure } = await import("../failure.ts");
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => interrupted.abort());
  while (!interrupted.signal.aborted) {
    await show().catch((error: unknown) => process.stderr.write(`khonsu: ${describeFailure(error)}\n`));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, seconds * 1000);
      interrupted.signal.addEventListener("abort", () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
