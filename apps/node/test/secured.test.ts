/** The command line against a node that speaks TLS and asks for tokens; and that interrupted commands end well. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeAuthority, signedBy } from "../../../packages/transport-connect/test/helpers/certificates.ts";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { CALM } from "./node/calm.ts";
import { LocalCluster } from "./node/local-cluster.ts";
import { runKhonsuWith } from "./run-khonsu.ts";

const MAIN = fileURLToPath(new URL("../bin/khonsu.mjs", import.meta.url));
const TOKEN = "a-token-of-some-length";
const directory = new TemporaryDirectory("khonsu-secured-");
const place = (name: string) => join(directory.path, name);
let cluster: LocalCluster;

beforeAll(async () => {
  const authority = await makeAuthority("test");
  const { certificate, key } = await signedBy(authority);
  const files = {
    "ca.pem": authority.certificate,
    "cert.pem": certificate,
    "key.pem": key,
    "token.txt": `${TOKEN}\n`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(place(name), text);
  const other = await makeAuthority("other");
  writeFileSync(place("other.pem"), other.certificate);
  const tokens = place("tokens.json");
  writeFileSync(tokens, JSON.stringify({ tokens: [{ name: "cli", token: TOKEN }] }));
  const tls = { certificate: place("cert.pem"), key: place("key.pem") };
  cluster = await LocalCluster.open(1, { ...CALM, tls, tokens });
});
afterAll(async () => {
  await cluster.close();
  directory[Symbol.dispose]();
});

const env = () => ({ KHONSU_ADDRESS: cluster.node(1).address });
const khonsu = (...args: string[]) => runKhonsuWith({ env: env(), input: "n\n1\n" }, ...args);
const SECURED = ["--ca", place("ca.pem"), "--token-file", place("token.txt")];

test("with the authority and the token everything works", async () => {
  expect(await khonsu("put", "a", "-", ...SECURED)).toMatchObject({ status: 0 });
  expect(await khonsu("get", "a", ...SECURED)).toMatchObject({ status: 0, stdout: "n\n1\n" });
  expect(await khonsu("status", ...SECURED)).toMatchObject({ status: 0 });
  expect(await khonsu("members", "weight", "1", "2", ...SECURED)).toMatchObject({ status: 0 });
});

test.each([
  ["no token", ["--ca", place("ca.pem")], "KHONSU_UNAUTHENTICATED"],
  [
    "a wrong token",
    ["--ca", place("ca.pem"), "--token", "another-token-of-some-length"],
    "KHONSU_UNAUTHENTICATED",
  ],
  ["another authority", ["--ca", place("other.pem"), "--token", TOKEN], "KHONSU_UNAVAILABLE"],
  ["no TLS", ["--token", TOKEN], "KHONSU_UNAVAILABLE"],
  ["no such file", ["--ca", place("none.pem")], "KHONSU_FILE_FAILED"],
])("%s is refused", async (_, flags, code) => {
  const { status, stdout, stderr } = await khonsu("get", "a", ...flags);
  expect(stderr).toContain(`khonsu: ${code}: `);
  expect([status, stdout]).toEqual([1, ""]);
});

test.each([
  [["watch"], undefined],
  [["status", "--watch", "--json"], /"ready":true/],
])("%j ends with status 0 when it is interrupted", async (args, line) => {
  const child = spawn(process.execPath, [MAIN, ...args, ...SECURED], {
    env: { ...process.env, ...env(), NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if (line === undefined) {
    // It has begun once it shows a change.
    const writes = setInterval(() => void khonsu("put", "w", "-", ...SECURED), 3000);
    expect((await lines.next()).value).toContain('"key":"w"');
    clearInterval(writes);
  } else expect((await lines.next()).value).toMatch(line);
  child.kill("SIGINT");
  expect(await closed).toEqual([0, null]);
});
