/** The command line of the reference node, which `bin/khonsu.mjs` starts. Each command is a file under `commands/`, and loads what it needs when it runs. */
import { Command } from "commander";
import { backupCommand } from "./commands/backup.ts";
import { deleteCommand } from "./commands/delete.ts";
import { demoCommand } from "./commands/demo.ts";
import { exportCommand } from "./commands/export.ts";
import { getCommand } from "./commands/get.ts";
import { importCommand } from "./commands/import.ts";
import { membersCommand } from "./commands/members.ts";
import { putCommand } from "./commands/put.ts";
import { restoreCommand } from "./commands/restore.ts";
import { scanCommand } from "./commands/scan.ts";
import { serveCommand } from "./commands/serve.ts";
import { statusCommand } from "./commands/status.ts";
import { txnCommand } from "./commands/txn.ts";
import { watchCommand } from "./commands/watch.ts";
import { describeFailure } from "./failure.ts";

const EXIT_FAILURE = 1;
/** Wrong arguments: nothing was run. */
const EXIT_USAGE = 2;

const program = new Command("khonsu")
  .description("Software transactional memory for Apache Arrow RecordBatches.")
  .showHelpAfterError("(--help shows what is possible)")
  .configureHelp({ showGlobalOptions: true })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));

const COMMANDS = [
  serveCommand(),
  getCommand(),
  putCommand(),
  deleteCommand(),
  scanCommand(),
  txnCommand(),
  importCommand(),
  exportCommand(),
  backupCommand(),
  restoreCommand(),
  watchCommand(),
  statusCommand(),
  membersCommand(),
  demoCommand(),
];

for (const command of COMMANDS) program.addCommand(adopted(command));

/** The command, and those below it, with the settings of the program. */
function adopted(command: Command): Command {
  for (const below of command.commands) adopted(below);
  return command.copyInheritedSettings(program);
}

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`khonsu: ${describeFailure(error)}\n`);
  process.exitCode = EXIT_FAILURE;
}
