/** A process that opens the database in its first argument, says so, and holds it until it is killed. */
import { LevelStorage } from "../src/index.ts";

await LevelStorage.open(process.argv[2]!);
process.on("message", () => {}); // keeps the process alive
process.send!("open");
