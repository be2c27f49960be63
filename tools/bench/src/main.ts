/** `pnpm bench <suite>`: runs one suite, or all, and prints what it measured. */
import { Argument, Command, Option } from "commander";
import { type Suite, suites } from "./suites/index.ts";

const program = new Command("bench")
  .description("Measures Khonsu beside its peers.")
  .addArgument(new Argument("[suite]", "which suite; all of them if left out").choices(Object.keys(suites)))
  .addOption(new Option("--json", "print JSON instead of tables"))
  .action(async (name: string | undefined, options: { json?: boolean }) => {
    const chosen = name === undefined ? Object.entries(suites) : [[name, suites[name]!] as [string, Suite]];
    for (const [suite, run] of chosen) {
      const rows = await run();
      if (options.json) console.log(JSON.stringify({ suite, rows }));
      else {
        console.log(`\n${suite}`);
        console.table(rows);
      }
    }
  });

await program.parseAsync();
