// Packs the package in the current directory as the registry would get it, and asks publint and attw about it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const directory = mkdtempSync(join(tmpdir(), "pack-check-"));
try {
  const run = (command, args) => execFileSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  execFileSync("pnpm", ["pack", "--pack-destination", directory], { stdio: ["ignore", "ignore", "inherit"] });
  const tarball = join(directory, readdirSync(directory)[0]);
  run("publint", ["run", tarball, "--strict"]);
  run("attw", [tarball, "--profile", "esm-only", "--format", "ascii"]);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
