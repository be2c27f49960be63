/** `khonsu serve`: runs a node until it is asked to stop. */
import { flushCompileCache } from "node:module";
import { Command } from "commander";
import type { RunningNode } from "../node/running-node.ts";

interface ServeFlags {
  readonly config?: string;
  readonly set: readonly string[];
  readonly [setting: string]: unknown;
}

/** Flags for what is set most often; `--set` reaches everything. */
const SHORTHANDS: Readonly<Record<string, readonly [setting: string, description: string]>> = {
  node: ["node", "the number of this node"],
  data: ["data", "the directory of everything that is durable"],
  host: ["listen.host", "the interface to listen on"],
  port: ["listen.port", "the port to listen on (default: 50051 + node)"],
  join: ["join", "addresses of members of the cluster to join, with commas"],
};

export function serveCommand(): Command {
  const command = new Command("serve")
    .description(
      "Runs a node of a cluster until SIGTERM or SIGINT, on which it hands leadership over and lets what is under way finish;\na second signal ends it at once. Prints one line when it serves; its log goes to standard error.",
    )
    .option(
      "--config <file>",
      "the configuration, JSON or YAML; settings of the environment and flags lie over it",
    )
    .option(
      "--set <path=value>",
      "a setting, such as retention.snapshotMs=60000; may be repeated",
      collect,
      [],
    );
  for (const [flag, [, description]] of Object.entries(SHORTHANDS)) {
    command.option(`--${flag} <value>`, description);
  }
  return command.action(serve);
}

function collect(value: string, earlier: readonly string[]): string[] {
  return [...earlier, value];
}

async function serve(flags: ServeFlags): Promise<void> {
  // Loaded only now: the help, and a wrong argument, need none of it.
  const [{ loadConfig }, { startNode }, { statusPage }] = await Promise.all([
    import("../node/config/load.ts"),
    import("../node/start-node.ts"),
    import("../page/serve-page.ts"),
  ]);
  const shorthands = Object.entries(SHORTHANDS).flatMap(([flag, [setting]]) =>
    flags[flag] === undefined ? [] : [`${setting}=${flags[flag]}`],
  );
  const config = await loadConfig({
    file: flags.config,
    environment: process.env,
    flags: [...shorthands, ...flags.set],
  });
  const node = await startNode(config, { isProcess: true, pages: [statusPage()] });
  const signals = stopOnSignals(node);
  try {
    await Promise.race([node.ready(), signals.stopped]);
  } catch (error) {
    if (!signals.isAsked) {
      await node.stop({ force: true });
      throw error;
    }
  }
  if (!signals.isAsked) {
    process.stdout.write(`khonsu: node ${node.node} of ${config.cluster} serves at ${node.address}\n`);
    // By itself that is done at the end of the process; one that is killed would start as slowly the next time.
    flushCompileCache();
  }
  await signals.stopped;
  // Timers of what was under way would keep the process for some seconds.
  process.exit();
}

/** `stopped` resolves once the node has stopped because it was asked to. */
function stopOnSignals(node: RunningNode): { readonly isAsked: boolean; readonly stopped: Promise<void> } {
  const { promise: stopped, resolve, reject } = Promise.withResolvers<void>();
  const signals = { isAsked: false, stopped };
  const onSignal = (signal: NodeJS.Signals): void => {
    // As a crash would: what was acknowledged is on disk.
    if (signals.isAsked) process.exit(signal === "SIGINT" ? 130 : 143);
    signals.isAsked = true;
    node.stop().then(resolve, reject);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return signals;
}
