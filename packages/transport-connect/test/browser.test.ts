/** The client in a browser: a bundle that imports nothing of Node, and speaks to a node with the globals that browsers have. */
import vm from "node:vm";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { connectCluster } from "../src/browser.ts";
import { one, valuesOf } from "./helpers/batches.ts";
import { MemoryCluster } from "./helpers/memory-cluster.ts";

const PROGRAM = `
  import { tableFromArrays } from "apache-arrow";
  import { connectCluster } from "./src/browser.ts";
  const batch = (value) => tableFromArrays({ value: Int32Array.of(value) });
  export async function run(addresses) {
    const client = await connectCluster({ addresses });
    const waiting = client.session().transact(async (tx) => {
      tx.check(await tx.has("account/bob"));
      return (await tx.read("account/bob")).getChild("value").get(0);
    });
    await client.transact((tx) => {
      tx.write("account/alice", batch(70));
      tx.write("account/bob", batch(30));
    });
    const keys = [];
    await client.transact(async (tx) => {
      for await (const [key] of tx.scan({ prefix: "account/" })) keys.push(key);
    });
    const bob = await waiting;
    await client.close();
    return { keys, bob };
  }
`;

/** What every browser has of what is used here, and nothing else besides the language itself. */
const BROWSER_GLOBALS = [
  "AbortController",
  "AbortSignal",
  "Event",
  "EventTarget",
  "Headers",
  "ReadableStream",
  "Request",
  "Response",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "atob",
  "btoa",
  "clearTimeout",
  "fetch",
  "performance",
  "queueMicrotask",
  "setTimeout",
] as const;

test("the bundle runs with what browsers have, over HTTP/1.1", async () => {
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
  const imports = Object.values(metafile.inputs).flatMap((input) => input.imports.map(({ path }) => path));
  expect(imports.filter((path) => path.startsWith("node:"))).toEqual([]);
  const globals = Object.fromEntries(BROWSER_GLOBALS.map((name) => [name, globalThis[name]]));
  const context = vm.createContext({ ...globals, location: { protocol: "http:" } });
  vm.runInContext(outputFiles[0]!.text, context);
  const cluster = await MemoryCluster.open({ nodes: 2 });
  const run = vm.runInContext("program.run", context) as (addresses: string[]) => Promise<unknown>;
  const result = JSON.parse(JSON.stringify(await run(cluster.addresses)));
  expect(result).toEqual({ keys: ["account/alice", "account/bob"], bob: 30 });
  await cluster.close();
});

test("watches of many shards, and waits, share few connections", async () => {
  const cluster = await MemoryCluster.open({ shards: 32 });
  const client = await connectCluster({ addresses: cluster.addresses });
  const watch = client.watch();
  await watch.started;
  const keys = Array.from({ length: 20 }, (_, i) => `key/${i}`);
  const writer = client.session();
  const told: string[] = [];
  for (const key of keys) {
    await writer.transact((tx) => tx.write(key, one(1)));
    const { value } = await watch.next();
    told.push(...(value?.changes ?? []).map((change) => change.key));
  }
  expect(told).toEqual(keys);
  expect(cluster.members[0]!.server.connections).toBeLessThan(8);
  await watch.return();
  await client.close();
  await cluster.close();
});

test("a page whose node is lost goes on with another one", async () => {
  const cluster = await MemoryCluster.open({ nodes: 2 });
  const client = await connectCluster({ addresses: cluster.addresses });
  await client.transact((tx) => tx.write("k", one(1)));
  await cluster.cutOff(1);
  await client.transact((tx) => tx.append("k", one(2)));
  expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual([1, 2]);
  expect(client.address).toBe(cluster.addresses[1]);
  await client.close();
  await cluster.close();
});
