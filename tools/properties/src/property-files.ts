/**
 * Which test files have something that a seed decides: those that import fast-check or read `KHONSU_SEED`, themselves or by way of a file of the
 * repository, in their own package or another. Found by following the imports, so that none has to be listed.
 */
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface PackageFiles {
  /** The name that package.json gives it. */
  readonly name: string;
  /** Its directory, absolute. */
  readonly directory: string;
  /** The test files, relative to the directory, sorted. */
  readonly files: readonly string[];
}

/** What is tested fastest comes first. */
const PACKAGES = ["packages/*", "tools/*", "apps/*"];
/** Imports and exports from elsewhere that are there when the program runs, and imports of a calculated moment. */
const IMPORTED = /(?:^|\n)\s*(?:import|export)(?!\s+type\b)[^;"]*?"([^"]+)"|\bimport\("([^"]+)"\)/g;

/** @param root the root of the repository, absolute */
export function propertyFiles(root: string): PackageFiles[] {
  const manifests = PACKAGES.flatMap((place) => globSync(`${place}/package.json`, { cwd: root }).sort());
  const packages = new Map(
    manifests.map((manifest) => {
      const directory = dirname(join(root, manifest));
      const { name, exports = {} } = JSON.parse(readFileSync(join(root, manifest), "utf8")) as Manifest;
      return [name, { name, directory, exports }];
    }),
  );
  const sources = new Sources(packages);
  return [...packages.values()]
    .map(({ name, directory }) => {
      const tests = globSync("{src,test}/**/*.test.ts", { cwd: directory });
      const files = tests.filter((file) => sources.dependOnSeed(join(directory, file))).sort();
      return { name, directory, files };
    })
    .filter(({ files }) => files.length > 0);
}

interface Package {
  readonly directory: string;
  readonly exports: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly name: string;
  /** In the workspace, each entry is a source file. */
  readonly exports?: Readonly<Record<string, string>>;
}

/** The source files of the repository, each read once. */
class Sources {
  readonly #packages: ReadonlyMap<string, Package>;
  readonly #read = new Map<string, { readonly usesSeed: boolean; readonly imports: readonly string[] }>();

  constructor(packages: ReadonlyMap<string, Package>) {
    this.#packages = packages;
  }

  dependOnSeed(start: string): boolean {
    const seen = new Set([start]);
    for (const file of seen) {
      const { usesSeed, imports } = this.#source(file);
      if (usesSeed) return true;
      for (const imported of imports) seen.add(imported);
    }
    return false;
  }

  #source(file: string) {
    const known = this.#read.get(file);
    if (known !== undefined) return known;
    const text = readFileSync(file, "utf8");
    const specifiers = [...text.matchAll(IMPORTED)].map((match) => match[1] ?? match[2]!);
    const imports = specifiers.flatMap((specifier) => this.#resolved(specifier, file) ?? []);
    const source = {
      usesSeed: specifiers.includes("fast-check") || text.includes("process.env.KHONSU_SEED"),
      imports,
    };
    this.#read.set(file, source);
    return source;
  }

  /** The file of the repository that is meant; undefined for other modules, and for what looks like an import within a text. */
  #resolved(specifier: string, from: string): string | undefined {
    if (specifier.startsWith(".")) {
      const file = join(dirname(from), specifier);
      return file.endsWith(".ts") && existsSync(file) ? file : undefined;
    }
    const [, name, entry] = /^(@[^/]+\/[^/]+)(\/.+)?$/.exec(specifier) ?? [];
    const found = name === undefined ? undefined : this.#packages.get(name);
    if (found === undefined) return undefined;
    const file = found.exports[`.${entry ?? ""}`];
    if (file === undefined) throw new Error(`Cannot find ${specifier}, which ${from} imports`);
    return join(found.directory, file);
  }
}
