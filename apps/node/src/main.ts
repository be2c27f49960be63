#!/usr/bin/env node
/** The command line of the reference node. Each command is a file under `commands/`. */
import { Command } from "commander";
import { demoCommand } from "./commands/demo.ts";
import { describeFailure } from "./failure.ts";

const EXIT_FAILURE = 1;
/** Wrong arguments: nothing was run. */
const EXIT_USAGE = 2;

const program = new Command("khonsu")
  .description("Software transactional memory for Apache Arrow RecordBatches.")
  .showHelpAfterError("(--help shows what is possible)")
  .configureHelp({ showGlobalOptions: true })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));

program.addCommand(demoCommand().copyInheritedSettings(program));
try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`khonsu: ${describeFailure(error)}\n`);
  process.exitCode = EXIT_FAILURE;
}
