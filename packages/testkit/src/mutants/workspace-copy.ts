// A copy of some packages of the workspace in a temporary directory, in which a mutant can be applied without touching the product.
// Sources are copied; what they depend on is linked, workspace packages among it to their copies where there is one.

import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Mutant, replaceOnce } from "./mutant.ts";

export class WorkspaceCopy implements Disposable {
  readonly root: string;

  /**
   * @param repository the root of the repository
   * @param packages directories under `packages/` to copy
   */
  constructor(repository: string, packages: readonly string[]) {
    this.root = mkdtempSync(join(tmpdir(), "khonsu-mutants-"));
    // Tests compare the documentation with what they observe; the configuration of vitest is in `tools`.
    for (const linked of ["node_modules", "docs", "tools"].filter((name) =>
      existsSync(join(repository, name)),
    )) {
      symlinkSync(join(repository, linked), join(this.root, linked));
    }
    cpSync(join(repository, "tsconfig.base.json"), join(this.root, "tsconfig.base.json"));
    cpSync(join(repository, "package.json"), join(this.root, "package.json"));
    for (const name of packages) this.#copyPackage(repository, name, packages);
  }

  /** Runs `action` with the mutant in place and takes it back. Throws if it does not apply. */
  async withMutant<T>(mutant: Mutant, action: () => T | Promise<T>): Promise<T> {
    const originals = new Map<string, string>();
    try {
      for (const { file, search, replace } of [mutant, ...(mutant.also ?? [])]) {
        const path = join(this.root, file);
        const before = readFileSync(path, "utf8");
        if (!originals.has(path)) originals.set(path, before);
        writeFileSync(path, replaceOnce(before, search, replace, `${mutant.name} to ${file}`));
      }
      return await action();
    } finally {
      for (const [path, text] of originals) writeFileSync(path, text);
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  #copyPackage(repository: string, name: string, copied: readonly string[]): void {
    const from = join(repository, "packages", name);
    const to = join(this.root, "packages", name);
    cpSync(from, to, {
      recursive: true,
      filter: (path) => !path.endsWith("node_modules") && !path.endsWith("dist"),
    });
    linkDependencies(join(from, "node_modules"), join(to, "node_modules"), (dependency) => {
      const directory = /^@khonsu\/(.+)$/.exec(dependency)?.[1];
      return directory !== undefined && copied.includes(directory)
        ? join(this.root, "packages", directory)
        : undefined;
    });
  }
}

/** Links every entry of one `node_modules` in another, except those for which `override` names a directory of their own. */
function linkDependencies(
  from: string,
  to: string,
  override: (dependency: string) => string | undefined,
): void {
  if (!existsSync(from)) return;
  for (const entry of readdirSync(from)) {
    const names = entry.startsWith("@")
      ? readdirSync(join(from, entry)).map((part) => `${entry}/${part}`)
      : [entry];
    for (const name of names) {
      mkdirSync(dirname(join(to, name)), { recursive: true });
      symlinkSync(override(name) ?? join(from, name), join(to, name));
    }
  }
}
