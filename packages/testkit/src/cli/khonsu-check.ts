#!/usr/bin/env node
// The command itself: the process as the terminal.
import { run } from "./program.ts";

process.stdin.setEncoding("utf8");
// A reader that has seen enough, such as head, closes the pipe; that is no fault.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});
process.exitCode = await run(process.argv.slice(2), {
  input: process.stdin as AsyncIterable<string>,
  output: (text) => process.stdout.write(text),
  errors: (text) => process.stderr.write(text),
});
