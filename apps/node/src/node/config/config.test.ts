import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { jsonSchema, SCHEMA_FILE } from "./json-schema.ts";
import { loadConfig, resolveConfig } from "./load.ts";
import { SETTINGS, variableOf } from "./overrides.ts";
import { portOf } from "./parts.ts";

const directory = mkdtempSync(join(tmpdir(), "khonsu-config-"));
afterAll(() => rmSync(directory, { recursive: true }));

const SMALL = { node: 1, cluster: "small", data: "data", found: [{ node: 1, address: "127.0.0.1:50052" }] };

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

test("the example is a configuration, and names its defaults rightly", async () => {
  const example = fileURLToPath(new URL("../../../khonsu.config.example.yaml", import.meta.url));
  const config = await loadConfig({ file: example });
  expect(config).toMatchObject({
    node: 1,
    listen: { host: "127.0.0.1" },
    placement: { shards: 16, replicas: 3, delimiter: "/" },
    timing: { tickMs: 50, electionTicks: 10 },
  });
  expect(config.data).toBe(fileURLToPath(new URL("../../../data/node-1", import.meta.url)));
});

test("JSON and YAML say the same, and the JSON Schema is that of the code", async () => {
  const json = await loadConfig({ file: file("a.json", JSON.stringify(SMALL)) });
  const yaml = "node: 1\ncluster: small\ndata: data\nfound: [{ node: 1, address: '127.0.0.1:50052' }]\n";
  expect(await loadConfig({ file: file("a.yaml", yaml) })).toEqual(json);
  expect(json.data).toBe(join(directory, "data"));
  expect(JSON.parse(readFileSync(SCHEMA_FILE, "utf8"))).toEqual(JSON.parse(jsonSchema()));
});

test("flags win over the environment, and that over the file", async () => {
  const config = await loadConfig({
    file: file("b.json", JSON.stringify({ ...SMALL, listen: { port: 1, host: "127.0.0.2" } })),
    environment: { KHONSU_LISTEN_PORT: "2", KHONSU_LOG_LEVEL: "debug", KHONSU_CLUSTER: "123", HOME: "/" },
    flags: ["listen.port=3", "retention.snapshotMs=1000"],
  });
  expect(config).toMatchObject({
    cluster: "123",
    listen: { host: "127.0.0.2", port: 3 },
    log: { level: "debug" },
    retention: { snapshotMs: 1000, outcomeMs: 120_000 },
  });
});

test("addresses to join are a list with commas", async () => {
  const { found: _, ...rest } = SMALL;
  const config = await loadConfig({
    file: file("c.json", JSON.stringify(rest)),
    environment: { KHONSU_JOIN: "1@10.0.0.1:50052, 2@[::1]:50053" },
  });
  expect(config.join).toEqual(["1@10.0.0.1:50052", "2@[::1]:50053"]);
});

test("every setting has a variable of its own", () => {
  const variables = [...SETTINGS.keys()].map(variableOf);
  expect(new Set(variables).size).toBe(variables.length);
  expect(variables).toContain("KHONSU_CHECKPOINTS_RETAIN_ENTRIES");
  expect(SETTINGS.has("found")).toBe(false);
});

test.each([
  [{ ...SMALL, node: 0 }, /node: /],
  [{ ...SMALL, listen: { port: 70_000 } }, /listen\.port: /],
  [{ ...SMALL, lisen: {} }, /lisen/],
  [{ ...SMALL, advertise: "localhost" }, /advertise: expected "host:port"/],
  [{ ...SMALL, found: [{ node: 1, address: "a:99999" }] }, /found\.0\.address: the port is above 65535/],
  [{ ...SMALL, placement: { delimiter: "ab" } }, /placement\.delimiter: expected one ASCII character/],
  [{ ...SMALL, tls: { certificate: "c" } }, /tls\.key: /],
  [{ ...SMALL, tls: { certificate: "c", key: "k", clientAuthority: "a" } }, /without tls\.peerAuthority/],
  [{ ...SMALL, found: [{ node: 2, address: "a:1" }] }, /found: node 1, this one, is missing/],
  [{ ...SMALL, found: [...SMALL.found, ...SMALL.found] }, /found: node 1 or its address stands there twice/],
  [{ ...SMALL, found: undefined }, /exactly one of them/],
  [{ ...SMALL, join: ["2@a:1"] }, /exactly one of them/],
  [{ ...SMALL, found: undefined, join: ["a:1"] }, /join\.0: expected "node@host:port"/],
  [{ ...SMALL, timing: { tickMs: 1, electionTicks: 4 } }, /timing: .*40 ms/],
] as const)("%j is refused, with the path of what is wrong", (input, reason) => {
  expect(() => resolveConfig(input as never)).toThrow(
    expect.objectContaining({ code: "KHONSU_CONFIG_INVALID" }),
  );
  expect(() => resolveConfig(input as never)).toThrow(reason);
});

test("a file that is not there, or is no JSON and no YAML, and a flag that there is not, are named", async () => {
  const code = "KHONSU_CONFIG_INVALID";
  const missing = loadConfig({ file: join(directory, "none.json") });
  await expect(missing).rejects.toMatchObject({ code, message: expect.stringContaining("none.json") });
  const broken = loadConfig({ file: file("broken.json", '{"node": ') });
  await expect(broken).rejects.toMatchObject({
    code,
    message: expect.stringContaining("neither JSON nor YAML"),
  });
  await expect(loadConfig({ flags: ["liste.port=1"] })).rejects.toMatchObject({
    code,
    message: expect.stringContaining("listen.port"),
  });
});

test("a node listens where it is told to, or where the founders know it, or at the port of its number", () => {
  const founder = { ...SMALL, found: [{ node: 1, address: "127.0.0.1:6000" }] };
  expect(portOf(resolveConfig({ ...founder, listen: { port: 7000 } }))).toBe(7000);
  expect(portOf(resolveConfig(founder))).toBe(6000);
  expect(portOf(resolveConfig({ node: 4, cluster: "c", data: "d", join: ["1@a:1"] }))).toBe(50_055);
});
