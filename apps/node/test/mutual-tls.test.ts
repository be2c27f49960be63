/** Nodes that ask clients for certificates of an authority of their own, and one another for those of the nodes'. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeAuthority, signedBy } from "../../../packages/transport-connect/test/helpers/certificates.ts";
import { TemporaryDirectory } from "../src/demo/temporary-directory.ts";
import { CALM } from "./node/calm.ts";
import { LocalCluster } from "./node/local-cluster.ts";
import { runKhonsuWith } from "./run-khonsu.ts";

const directory = new TemporaryDirectory("khonsu-mutual-");
const place = (name: string) => join(directory.path, name);
let cluster: LocalCluster;

beforeAll(async () => {
  const [nodes, clients] = [await makeAuthority("nodes"), await makeAuthority("clients")];
  const [node, client] = [await signedBy(nodes), await signedBy(clients, "client")];
  const files = {
    "nodes.pem": nodes.certificate,
    "clients.pem": clients.certificate,
    "node.pem": node.certificate,
    "node-key.pem": node.key,
    "client.pem": client.certificate,
    "client-key.pem": client.key,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(place(name), text);
  const tls = {
    certificate: place("node.pem"),
    key: place("node-key.pem"),
    peerAuthority: place("nodes.pem"),
    clientAuthority: place("clients.pem"),
  };
  cluster = await LocalCluster.open(2, { ...CALM, tls });
});
afterAll(async () => {
  await cluster.close();
  directory[Symbol.dispose]();
});

const khonsu = (...args: string[]) =>
  runKhonsuWith({ env: { KHONSU_ADDRESS: cluster.node(1).address }, input: "n\n1\n" }, ...args);
const CA = ["--ca", place("nodes.pem")];
const shown = (name: string) => ["--certificate", place(`${name}.pem`), "--key", place(`${name}-key.pem`)];
const COMMANDS = [
  ["get", "a"],
  ["members", "weight", "1", "2"],
];

test("a client with a certificate of the clients' authority comes in; nodes know one another by theirs", async () => {
  const mine = [...CA, ...shown("client")];
  expect(await khonsu("put", "a", "-", ...mine)).toMatchObject({ status: 0 });
  for (const command of COMMANDS) expect(await khonsu(...command, ...mine)).toMatchObject({ status: 0 });
  const links = cluster.nodes.flatMap((node) => node.status().members.map(({ link }) => link));
  expect(links.toSorted()).toEqual(["self", "self", "up", "up"]);
});

test.each([
  ["without one", []],
  ["with that of a node", shown("node")],
])("%s nobody comes in, neither to data nor to members", async (_, flags) => {
  for (const command of COMMANDS) {
    const { status, stderr } = await khonsu(...command, ...CA, ...flags);
    expect(stderr).toContain("certificate of the clients' authority");
    expect(status).toBe(1);
  }
});

test("a certificate without its key is a mistake that is named", async () => {
  const { status, stderr } = await khonsu("get", "a", ...CA, "--certificate", place("client.pem"));
  expect(stderr).toContain("--certificate and --key");
  expect(status).toBe(1);
});
