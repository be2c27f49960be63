/** Who may come in: tokens from a file, TLS, and pages from elsewhere. */

import { createHash, X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { encodeBatches } from "@khonsu/core/values";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Health } from "../src/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "../src/gen/grpc/reflection/v1/reflection_pb.ts";
import { ClientService } from "../src/gen/khonsu/client/v1/client_pb.ts";
import { FailureSchema } from "../src/gen/khonsu/client/v1/failure_pb.ts";
import { KhonsuService } from "../src/gen/khonsu/client/v1/khonsu_pb.ts";
import { type ClientTls, connectCluster, TokenFile } from "../src/index.ts";
import { isSignedBy } from "../src/server/certificate.ts";
import { one, valuesOf } from "./helpers/batches.ts";
import { makeAuthority, signedBy } from "./helpers/certificates.ts";
import { MemoryCluster } from "./helpers/memory-cluster.ts";

const TOKEN = "correct horse battery staple".replaceAll(" ", "-");
let folder: string;
let path: string;
let now: number;
let tokens: TokenFile;
let cluster: MemoryCluster;

const write = (content: unknown) =>
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "khonsu-tokens-"));
  path = join(folder, "tokens.json");
  now = Date.parse("2026-06-01T00:00:00Z");
  write({ tokens: [{ name: "alice", token: TOKEN, expires: "2027-01-01T00:00:00Z" }] });
  tokens = new TokenFile({ path, now: () => now, pollMs: 10 });
  cluster = await MemoryCluster.open({ routes: { authenticate: tokens, origins: ["https://app.example"] } });
});

afterEach(async () => {
  await cluster.close();
  tokens.close();
  rmSync(folder, { recursive: true });
});

describe("a client", () => {
  test("with the token comes in", async () => {
    const client = await cluster.connect({ token: TOKEN });
    await client.transact((tx) => tx.write("k", one(1)));
    await client.close();
  });

  test.each([
    ["none", undefined],
    ["a wrong one", "x".repeat(30)],
  ])("with %s is told so at once", async (_, token) => {
    await expect(cluster.connect({ token })).rejects.toMatchObject({
      code: "KHONSU_UNAUTHENTICATED",
      retryable: false,
    });
  });

  test("whose token expires is let in no more, in the middle of its session", async () => {
    const client = await cluster.connect({ token: TOKEN });
    await client.transact((tx) => tx.write("k", one(1)));
    now = Date.parse("2027-01-01T00:00:00Z");
    await expect(client.transact((tx) => tx.read("k"))).rejects.toMatchObject({
      code: "KHONSU_UNAUTHENTICATED",
    });
    await client.close();
  });

  test("whose token is exchanged in the file uses the new one from the next connection on", async () => {
    let token = TOKEN;
    const client = await cluster.connect({ token: () => token });
    await client.transact((tx) => tx.write("k", one(1)));
    const sha256 = createHash("sha256").update("another-token-of-alice").digest("hex");
    write({ tokens: [{ name: "alice", sha256 }] });
    await expect.poll(() => tokens.authenticate(TOKEN)).toBeUndefined();
    expect(tokens.authenticate("another-token-of-alice")).toEqual({ name: "alice", expiresAt: undefined });
    token = "another-token-of-alice";
    expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual([1]);
    await client.close();
  });
});

describe("without a token", () => {
  const transports = {
    Connect: () => createConnectTransport({ baseUrl: cluster.url, httpVersion: "2" }),
    gRPC: () => createGrpcTransport({ baseUrl: cluster.url }),
    "gRPC-web": () => createGrpcWebTransport({ baseUrl: cluster.url, httpVersion: "1.1" }),
  };

  test.each(Object.entries(transports))(
    "nothing is done by %s, and the error says so",
    async (_, transport) => {
      const refused = { code: Code.Unauthenticated };
      const khonsu = createClient(KhonsuService, transport());
      const error = await khonsu
        .put({ key: "k", rows: encodeBatches([one(1)]) })
        .catch((reason: unknown) => reason);
      expect(error).toMatchObject(refused);
      const [failure] = (error as { findDetails: (schema: typeof FailureSchema) => unknown[] }).findDetails(
        FailureSchema,
      );
      expect(failure).toMatchObject({ code: "KHONSU_UNAUTHENTICATED", retryable: false });
      await expect(khonsu.scan({})[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
      const client = createClient(ClientService, transport());
      await expect(client.describe({})).rejects.toMatchObject(refused);
      await expect(client.exchange({})[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused);
      expect(await cluster.session().transact((tx) => tx.read("k"))).toBeUndefined();
    },
  );

  test("no stream is opened", async () => {
    async function* nothing(): AsyncGenerator<never> {
      yield* [];
    }
    const grpc = createGrpcTransport({ baseUrl: cluster.url });
    const session = createClient(ClientService, grpc).session(nothing());
    await expect(session[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
    const reflection = createClient(ServerReflection, grpc).serverReflectionInfo(nothing());
    await expect(reflection[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
  });

  test("health is open, for load balancers", async () => {
    const health = createClient(Health, createGrpcTransport({ baseUrl: cluster.url }));
    expect(await health.check({})).toMatchObject({ status: 1 });
  });

  test("the answer comes before the body of the request", async () => {
    const [host, port] = cluster.addresses[0]!.split(":");
    const status = await new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json", "content-length": "1000000" };
      const request = httpRequest({
        host,
        port,
        path: "/khonsu.client.v1.KhonsuService/Put",
        method: "POST",
        headers,
      });
      request.on("response", (response) => {
        resolve(response.statusCode);
        request.destroy();
      });
      request.on("error", reject);
      request.write("{");
    });
    expect(status).toBe(401);
  });
});

describe("the file of tokens", () => {
  test("that becomes unusable leaves those from before in force", async () => {
    const failures: string[] = [];
    const own = new TokenFile({
      path,
      now: () => now,
      pollMs: 10,
      onFailure: ({ message }) => failures.push(message),
    });
    write("{ this is no JSON");
    await expect.poll(() => failures).toHaveLength(1);
    expect(own.authenticate(TOKEN)).toMatchObject({ name: "alice" });
    own.close();
  });

  const date = "2027-01-01T00:00:00Z";
  test.each<readonly [string, unknown]>([
    ["is not there", undefined],
    ["is no JSON", "nonsense"],
    ["has no list", { tokens: {} }],
    ["has an entry without a name", { tokens: [{ token: TOKEN }] }],
    ["has a token that is short", { tokens: [{ name: "a", token: "short" }] }],
    ["has both a token and a digest", { tokens: [{ name: "a", token: TOKEN, sha256: "0".repeat(64) }] }],
    ["has neither", { tokens: [{ name: "a", expires: date }] }],
    ["has a digest that is none", { tokens: [{ name: "a", sha256: "00" }] }],
    ["has a date that is none", { tokens: [{ name: "a", token: TOKEN, expires: "soon" }] }],
    ["has a field that means nothing", { tokens: [{ name: "a", token: TOKEN, expiry: date }] }],
  ])("that %s is refused", (_, content) => {
    if (content === undefined) rmSync(path);
    else write(content);
    expect(() => new TokenFile({ path })).toThrow(expect.objectContaining({ code: "KHONSU_TOKENS_INVALID" }));
    write({ tokens: [] });
  });
});

describe("a page in a browser", () => {
  const ask = (origin: string, method = "OPTIONS") =>
    fetch(`${cluster.url}/khonsu.client.v1.KhonsuService/Get`, {
      method,
      headers: { origin, "content-type": "application/json", authorization: `Bearer ${TOKEN}` },
      ...(method === "POST" && { body: JSON.stringify({ key: "k" }) }),
    });

  test("of an origin that is allowed may ask, and read the answer", async () => {
    const preflight = await ask("https://app.example");
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
    const answer = await ask("https://app.example", "POST");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("access-control-allow-origin")).toBe("https://app.example");
  });

  test("of another origin may not", async () => {
    expect((await ask("https://evil.example")).status).toBe(403);
    expect((await ask("https://evil.example", "POST")).headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("where clients must show a certificate", () => {
  const makeWorld = async () => {
    const [peers, clients] = [await makeAuthority("peers"), await makeAuthority("clients")];
    const tls = { ...(await signedBy(peers)), clientAuthority: clients.certificate };
    const cluster = await MemoryCluster.open({
      tls,
      routes: { authenticate: tokens, needsCertificate: true },
    });
    const connect = (shown: Pick<ClientTls, "certificate" | "key">, token: string | undefined = TOKEN) =>
      connectCluster({
        addresses: cluster.addresses,
        token,
        tls: { ca: peers.certificate, ...shown },
        patience: { totalMs: 100 },
      });
    return { peers, clients, cluster, connect };
  };
  const shownOf = ({ certificate, key }: ClientTls) => ({ certificate, key });

  test("one of the clients' authority lets a client in, with its token; none, and one of another authority, does not", async () => {
    const { peers, clients, cluster, connect } = await makeWorld();
    const mine = shownOf(await signedBy(clients, "client"));
    const client = await connect(mine);
    await client.transact((tx) => tx.write("k", one(1)));
    expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual([1]);
    await client.close();
    const code = "KHONSU_UNAUTHENTICATED";
    await expect(connect(mine, "a-token-that-nobody-has")).rejects.toMatchObject({ code });
    await expect(connect({})).rejects.toMatchObject({ code });
    await expect(connect(shownOf(await signedBy(peers)))).rejects.toMatchObject({ code });
    const strange = await makeAuthority("strange");
    await expect(connect(shownOf(await signedBy(strange)))).rejects.toMatchObject({ code });
    await cluster.close();
  });

  test("a chain is followed by its signatures: a name that two authorities share gets nobody in as a peer", async () => {
    const [peers, clients] = [await makeAuthority("authority"), await makeAuthority("authority")];
    const [ofPeers, ofClients] = [peers, clients].map(({ certificate }) => [
      new X509Certificate(certificate),
    ]);
    const peer = new X509Certificate((await signedBy(peers)).certificate);
    const client = new X509Certificate((await signedBy(clients)).certificate);
    expect([isSignedBy(peer, ofPeers!), isSignedBy(peer, ofClients!)]).toEqual([true, false]);
    expect([isSignedBy(client, ofPeers!), isSignedBy(client, ofClients!)]).toEqual([false, true]);
    expect(isSignedBy(peer, [])).toBe(false);
  });

  test("a certificate without its key, or with that of another, is refused before anybody is called", async () => {
    const { certificate } = await signedBy(await makeAuthority("a"));
    const { key } = await signedBy(await makeAuthority("b"));
    const connect = (shown: ClientTls) => connectCluster({ addresses: ["127.0.0.1:1"], tls: shown });
    await expect(connect({ certificate })).rejects.toMatchObject({ code: "KHONSU_INVALID_OPTION" });
    await expect(connect({ certificate, key })).rejects.toMatchObject({ code: "KHONSU_TLS_INVALID" });
  });
});

test("over TLS a client comes in that believes in the authority, and no other", async () => {
  const authority = await makeAuthority("authority");
  const tls = await signedBy(authority);
  const secret = await MemoryCluster.open({ tls, routes: { authenticate: tokens } });
  const client = await connectCluster({
    addresses: secret.addresses,
    token: TOKEN,
    tls: { ca: authority.certificate },
  });
  await client.transact((tx) => tx.write("k", one(1)));
  expect(valuesOf(await client.transact((tx) => tx.read("k")))).toEqual([1]);
  await client.close();
  const patience = { totalMs: 100 };
  const wary = connectCluster({ addresses: secret.addresses, token: TOKEN, tls: {}, patience });
  await expect(wary).rejects.toMatchObject({ code: "KHONSU_UNAVAILABLE" });
  const plain = connectCluster({ addresses: secret.addresses, token: TOKEN, patience, connectMs: 100 });
  await expect(plain).rejects.toMatchObject({ code: "KHONSU_UNAVAILABLE" });
  await secret.close();
});
