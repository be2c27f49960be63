/** The first program: open a durable store, write a batch, commit, and read it back in a new transaction. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstProgram } from "./first-program.ts";

const directory = await mkdtemp(join(tmpdir(), "khonsu-first-program-"));
try {
  const { written, read, reopened } = await firstProgram(directory);
  console.log("written: ", JSON.stringify(written));
  console.log("read:    ", JSON.stringify(read));
  console.log("reopened:", JSON.stringify(reopened));
} finally {
  await rm(directory, { recursive: true });
}
