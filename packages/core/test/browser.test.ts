/** The store in a browser: a bundle that imports nothing of Node and runs with the globals that browsers have. */
import vm from "node:vm";
import { build, type Metafile } from "esbuild";
import { expect, test } from "vitest";

const PROGRAM = `
  import { tableFromArrays } from "apache-arrow";
  import { Khonsu } from "./src/index.ts";
  const batch = (value) => tableFromArrays({ id: Int32Array.of(1), value: Int32Array.of(value) });
  const valueIn = (rows) => rows.getChild("value").get(0);
  export async function run() {
    const db = await Khonsu.open({ onLeak: () => {} });
    const changes = db.watch({ prefix: "account/" });
    const waiting = db.transact((tx) => {
      tx.check(tx.has("account/bob"));
      return valueIn(tx.read("account/bob"));
    });
    await db.transact((tx) => {
      tx.write("account/alice", batch(70));
      tx.write("account/bob", batch(30));
    });
    const one = db.begin();
    const two = db.begin();
    for (const tx of [one, two]) for (const _ of tx.scan()) {}
    one.write("account/alice", batch(0));
    two.write("account/bob", batch(0));
    await one.commit();
    const refused = await two.commit().catch((error) => error.code);
    const event = (await changes.next()).value;
    await db.close();
    return { bob: await waiting, refused, changed: event.changes.map(({ key }) => key), commits: db.stats().commits };
  }
`;

/** What every browser has, and nothing else besides the language itself. */
const BROWSER_GLOBALS = [
  "AbortController",
  "AbortSignal",
  "Event",
  "EventTarget",
  "ReadableStream",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "clearTimeout",
  "performance",
  "queueMicrotask",
  "setTimeout",
  "structuredClone",
] as const;

async function bundle(): Promise<{ text: string; metafile: Metafile }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: PROGRAM, resolveDir: new URL("..", import.meta.url).pathname, loader: "ts" },
    bundle: true,
    platform: "browser",
    format: "iife",
    globalName: "program",
    target: "es2022",
    write: false,
    metafile: true,
    logLevel: "silent",
  });
  return { text: outputFiles[0]!.text, metafile };
}

test("a bundle for browsers imports nothing of Node", async () => {
  const { metafile } = await bundle();
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
  const outside = imports.filter(({ external, path }) => external === true && path !== "<runtime>");
  expect(outside).toEqual([]);
  expect(imports.filter(({ path }) => path.startsWith("node:"))).toEqual([]);
});

test("the bundle runs where there is nothing but what browsers have", async () => {
  const { text } = await bundle();
  const globals: Record<string, unknown> = {};
  for (const name of BROWSER_GLOBALS) globals[name] = globalThis[name];
  const context = vm.createContext(globals);
  vm.runInContext("globalThis.self = globalThis;", context);
  expect(vm.runInContext("typeof process + typeof require + typeof Buffer", context)).toBe(
    "undefinedundefinedundefined",
  );
  vm.runInContext(text, context);
  const result: unknown = await vm.runInContext("program.run()", context);
  expect(JSON.parse(JSON.stringify(result))).toEqual({
    bob: 30,
    refused: "KHONSU_SERIALIZATION_FAILURE",
    changed: ["account/alice", "account/bob"],
    commits: 2,
  });
});
