/**
 * Those who do not keep to the protocol between nodes: each is told why, nothing crashes or grows, and the links of the others
 * go on.
 */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { crc32 } from "node:zlib";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import { type LinkResponseSchema, PeerService, WelcomeSchema } from "../src/gen/khonsu/peer/v1/peer_pb.ts";
import { startServer } from "../src/index.ts";
import { makeAuthority, signedBy } from "./helpers/certificates.ts";
import {
  bytes,
  introduce,
  startNode,
  stateOf,
  stopAll,
  type TestNode,
  text,
  until,
  up,
} from "./helpers/nodes.ts";
import { codeOf, hello, LINK_ID, rawClient, rawLink, refusalOf } from "./helpers/raw-peer.ts";

afterEach(stopAll);

/** Two nodes that are linked, and stay so whatever a third does. */
async function pair(options: Parameters<typeof startNode>[1] = {}): Promise<[TestNode, TestNode]> {
  const [a, b] = [await startNode(1, options), await startNode(2, options)];
  introduce(a, b);
  await up(a, b);
  return [a, b];
}

async function expectUnharmed(a: TestNode, b: TestNode): Promise<void> {
  expect(text(await b.network.ask(1, "shard", bytes("still there")))).toBe("1 to 2: shard still there");
  expect(text(await a.network.ask(2, "shard", bytes("still there")))).toBe("2 to 1: shard still there");
  expect(a.network.status().find(({ node }) => node === 2)!.links).toBe(1);
}

test("WIRE-2: another cluster, another node, a version that is not spoken: refused with the reason", async () => {
  const [a, b] = await pair();
  const refused = async (fields: Parameters<typeof hello>[0]) => {
    const link = rawLink(a.address);
    link.say(hello(fields));
    const code = await refusalOf(link);
    link.hangUp();
    return code;
  };
  expect(await refused({ clusterId: "other" })).toBe("KHONSU_PEER_MISMATCH");
  expect(await refused({ to: 3 })).toBe("KHONSU_PEER_MISMATCH");
  expect(await refused({ node: 1 })).toBe("KHONSU_PEER_MISMATCH");
  expect(await refused({ protocolMin: 2, protocolMax: 3 })).toBe("KHONSU_PROTOCOL_VERSION");
  expect(await refused({ protocolMin: 0, protocolMax: 0 })).toBe("KHONSU_PROTOCOL_VERSION");
  expect(await refused({ protocolMin: 2, protocolMax: 1 })).toBe("KHONSU_FRAME_MALFORMED");
  expect(await refused({ node: 0 })).toBe("KHONSU_FRAME_MALFORMED");
  expect(await refused({ node: 2 ** 21 })).toBe("KHONSU_FRAME_MALFORMED");
  expect(await refused({ incarnation: 2n ** 63n })).toBe("KHONSU_FRAME_MALFORMED");
  expect(await refused({ link: new Uint8Array(3) })).toBe("KHONSU_FRAME_MALFORMED");
  expect(a.events.filter(({ kind }) => kind === "refused")).toHaveLength(10);
  expect(a.network.status().map(({ node }) => node)).toEqual([2]);
  await expectUnharmed(a, b);
});

test("both sides of a mismatch tell which", async () => {
  const [a, b] = [await startNode(1, { clusterId: "blue" }), await startNode(2, { clusterId: "green" })];
  introduce(a, b);
  const code = "KHONSU_PEER_MISMATCH";
  await until(
    () => a.network.status()[0]!.lastError?.code === code && b.network.status()[0]!.lastError?.code === code,
  );
  expect(a.network.status()[0]!.lastError!.message).toBe(
    'Node 2 belongs to cluster "green", the other to "blue"',
  );
  expect(stateOf(a, b)).not.toBe("up");
  await expect(a.network.ask(2, "shard", bytes("?"))).rejects.toMatchObject({
    code: "KHONSU_PEER_UNREACHABLE",
  });
});

test("a node that belongs to no cluster yet links with one", async () => {
  const [a, b] = [await startNode(1), await startNode(2, { clusterId: "" })];
  introduce(a, b);
  await up(a, b);
});

test("WIRE-3: an incarnation below one that was seen is refused, the one that is there stays", async () => {
  const [a, b] = await pair({ incarnation: 3 });
  const stale = rawLink(a.address);
  stale.say(hello({ node: 2, incarnation: 2n }));
  expect(await refusalOf(stale)).toBe("KHONSU_PEER_STALE");
  await expectUnharmed(a, b);
});

test("a node that lost its disk, and does not know its incarnation yet, is linked with", async () => {
  const [a, b] = await pair({ incarnation: 3 });
  await b.stop();
  const wiped = await startNode(2, { port: b.server.port, clusterId: "", incarnation: 0 });
  introduce(a, wiped);
  expect(text(await wiped.network.ask(1, "directory", bytes("admit me")))).toBe("1 to 2: directory admit me");
});

test("whoever does not begin with hello, or says nothing, is turned away", async () => {
  const [a, b] = await pair({ limits: { dialTimeoutMs: 50 } });
  const rude = rawLink(a.address);
  rude.say({ frames: bytes("?") });
  expect(await refusalOf(rude)).toBe("KHONSU_FRAME_MALFORMED");
  const silent = rawLink(a.address);
  expect(await refusalOf(silent)).toBe("KHONSU_PEER_TIMEOUT");
  async function* unknownLink() {
    yield { link: LINK_ID };
  }
  const bulk = rawClient(a.address).bulk(unknownLink())[Symbol.asyncIterator]();
  await expect(bulk.next()).rejects.toSatisfy((error) => codeOf(error) === "KHONSU_PEER_MISMATCH");
  await expectUnharmed(a, b);
});

/** Says hello, then the frames, and returns what the link is ended with. */
async function afterWelcome(
  a: TestNode,
  frames: Uint8Array,
  checksum = crc32(frames),
): Promise<string | undefined> {
  const link = rawLink(a.address);
  link.say(hello());
  expect((await link.hear())?.welcome).toMatchObject({ node: 1, protocol: 1, clusterId: "test" });
  link.say({ frames, checksum });
  const code = await refusalOf(link);
  link.hangUp();
  return code;
}

test("WIRE-4: frames that are damaged or none end their link, with the reason, and no other", async () => {
  const [a, b] = await pair();
  expect(await afterWelcome(a, bytes("no frames"))).toBe("KHONSU_FRAME_MALFORMED");
  expect(await afterWelcome(a, Uint8Array.of(10, 2, 8, 3), 0)).toBe("KHONSU_FRAME_MALFORMED"); // checksum
  expect(await afterWelcome(a, Uint8Array.of(10, 2, 8, 7))).toBe("KHONSU_FRAME_MALFORMED"); // kind 7
  expect(await afterWelcome(a, Uint8Array.of(10, 4, 8, 1, 26, 9))).toBe("KHONSU_FRAME_MALFORMED"); // cut short
  expect(await afterWelcome(a, Uint8Array.of(18, 0))).toBe("KHONSU_FRAME_MALFORMED"); // field 2
  await expectUnharmed(a, b);
});

test("answers that nobody asked for, and any group number, do no harm", async () => {
  const [a, b] = await pair();
  const link = rawLink(a.address);
  link.say(hello());
  await link.hear();
  const answer = [10, 4, 8, 3, 16, 5]; // to question 5
  const message = [10, 11, 8, 1, 16, 255, 255, 255, 255, 255, 255, 255, 15]; // for group 2^53 - 1
  const frames = Uint8Array.of(...answer, ...message);
  link.say({ frames, checksum: crc32(frames) });
  await until(() => a.messages.length === 1);
  expect(a.messages).toEqual([`9/${Number.MAX_SAFE_INTEGER}/`]);
  link.hangUp();
  await expectUnharmed(a, b);
});

test("WIRE-5: a frame above the limit is refused before it is there", async () => {
  const [a, b] = await pair({ limits: { messageBytesMax: 100_000, batchBytesMax: 10_000 } });
  expect(await afterWelcome(a, new Uint8Array(200_000))).toBe("KHONSU_FRAME_TOO_LARGE");
  await expectUnharmed(a, b);
  a.network.send(2, 1, new Uint8Array(100_001));
  const large = new Uint8Array(100_001);
  await expect(a.network.ask(2, "shard", large)).rejects.toMatchObject({ code: "KHONSU_FRAME_TOO_LARGE" });
  expect(a.network.status()[0]!.dropped.tooLarge).toBe(2);
  await expectUnharmed(a, b);
});

test("an answer above the limit is told as such", async () => {
  const limits = { messageBytesMax: 1000 };
  const [a] = await pair({ limits, onAsk: async () => new Uint8Array(1001) });
  await expect(a.network.ask(2, "shard", bytes("?"))).rejects.toMatchObject({
    code: "KHONSU_FRAME_TOO_LARGE",
  });
});

test("WIRE-8: a link whose other side gives no sign of life is given up", async () => {
  const [a, b] = await pair({ limits: { heartbeatMs: 20, silentHeartbeatsMax: 3 } });
  const dead = rawLink(a.address);
  dead.say(hello());
  await dead.hear();
  await until(() => a.network.status().some(({ node, state }) => node === 9 && state === "up"));
  await until(() => !a.network.status().some(({ node, state }) => node === 9 && state === "up"));
  await expectUnharmed(a, b);
});

test("WIRE-7: who does not read gets no more than its queue; the rest is dropped and counted", async () => {
  const limits = { queueBytesMax: 300_000, streamWindowBytes: 65_535, connectionWindowBytes: 65_535 };
  const [a, b] = await pair({ limits });
  const slow = rawLink(a.address);
  slow.say(hello());
  await slow.hear();
  const body = new Uint8Array(10_000);
  for (let i = 0; i < 2000; i++) {
    a.network.send(9, 1, body);
    if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const status = a.network.status().find(({ node }) => node === 9)!;
  expect(status.queuedBytes).toBeLessThanOrEqual(300_000);
  expect(status.dropped.full).toBeGreaterThan(1000);
  await expect(a.network.ask(9, "shard", body)).rejects.toMatchObject({ code: "KHONSU_OVERLOADED" });
  await expectUnharmed(a, b);
  slow.hangUp();
});

test("more questions than are answered at a time are refused", async () => {
  let answer = (_body: Uint8Array) => {};
  const held = new Promise<Uint8Array>((resolve) => {
    answer = resolve;
  });
  const [a] = await pair({ limits: { servedMax: 2, asksMax: 4 }, onAsk: () => held });
  const asked = Array.from({ length: 5 }, () =>
    a.network.ask(2, "shard", bytes("?")).then(text, ({ code }: { code: string }) => code),
  );
  expect(await asked[4]).toBe("KHONSU_OVERLOADED"); // above asksMax, at once
  expect(await Promise.all([asked[2], asked[3]])).toEqual(["KHONSU_OVERLOADED", "KHONSU_OVERLOADED"]);
  answer(bytes("done"));
  expect(await Promise.all([asked[0], asked[1]])).toEqual(["done", "done"]);
});

test("WIRE-1: peers need a certificate of the peers' authority", async () => {
  const authority = await makeAuthority("peers");
  const others = await makeAuthority("others");
  const [a, b] = [
    await startNode(1, { tls: await signedBy(authority, "1") }),
    await startNode(2, { tls: await signedBy(authority, "2") }),
  ];
  introduce(a, b);
  await up(a, b);
  const trusting = { ca: authority.certificate };
  const wrong = await signedBy(others);
  for (const certificate of [{}, { cert: wrong.certificate, key: wrong.key }]) {
    const link = rawLink(a.address, { ...trusting, ...certificate });
    link.say(hello());
    expect(await refusalOf(link)).toBe("KHONSU_PEER_UNAUTHENTICATED");
  }
  // The other way round: a node does not talk to a server that the authority did not sign.
  const impostor = await startNode(3, { tls: wrong });
  a.network.setPeers(
    new Map([
      [2, b.address],
      [3, impostor.address],
    ]),
  );
  await until(() => a.network.status()[1]!.lastError !== undefined);
  expect(a.network.status()[1]).toMatchObject({
    node: 3,
    link: undefined,
    lastError: { code: "KHONSU_PEER_UNREACHABLE" },
  });
  // And without TLS nobody gets anywhere.
  const plain = connect(a.server.port, "127.0.0.1").end("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  plain.on("error", () => {});
  plain.resume();
  await once(plain, "close");
  await expectUnharmed(a, b);
});

test("WIRE-2: of the versions that both speak the highest is used", async () => {
  const [a] = await pair();
  const link = rawLink(a.address);
  link.say(hello({ protocolMin: 0, protocolMax: 9 }));
  expect((await link.hear())?.welcome?.protocol).toBe(1);
  link.hangUp();
});

/** What node 1 makes of a server that answers like this in place of node 2. */
async function dialled(answer: () => AsyncGenerator<LinkResponseInit>): Promise<string | undefined> {
  const impostor = await startServer({
    routes: (router) => router.service(PeerService, { link: answer, bulk: async function* () {} }),
  });
  const a = await startNode(1);
  a.network.setPeers(new Map([[2, `127.0.0.1:${impostor.port}`]]));
  await until(() => a.network.status()[0]!.lastError !== undefined);
  const code = a.network.status()[0]!.lastError?.code;
  await a.stop();
  await impostor.stop(0);
  return code;
}

type LinkResponseInit = MessageInitShape<typeof LinkResponseSchema>;

test("a server that is no node, or answers as none would, is left with the reason", async () => {
  const welcome = (fields: object): LinkResponseInit => ({
    welcome: create(WelcomeSchema, { protocol: 1, clusterId: "test", node: 2, incarnation: 1n, ...fields }),
  });
  const answering = (...responses: LinkResponseInit[]) =>
    async function* (): AsyncGenerator<LinkResponseInit> {
      yield* responses;
    };
  expect(await dialled(answering(welcome({ protocol: 2 })))).toBe("KHONSU_PROTOCOL_VERSION");
  expect(await dialled(answering(welcome({ node: 3 })))).toBe("KHONSU_PEER_MISMATCH");
  expect(await dialled(answering(welcome({ clusterId: "other" })))).toBe("KHONSU_PEER_MISMATCH");
  expect(await dialled(answering(welcome({ incarnation: 2n ** 40n })))).toBe("KHONSU_FRAME_MALFORMED");
  expect(await dialled(answering({ frames: bytes("?") }))).toBe("KHONSU_FRAME_MALFORMED");
  expect(await dialled(answering())).toBe("KHONSU_FRAME_MALFORMED");
  expect(await dialled(answering(welcome({}), { frames: bytes("no frames") }))).toBe(
    "KHONSU_FRAME_MALFORMED",
  );
  const nobody = await startServer({ routes: () => {} });
  const a = await startNode(1);
  a.network.setPeers(new Map([[2, `127.0.0.1:${nobody.port}`]]));
  await until(() => a.network.status()[0]!.lastError !== undefined);
  expect(a.network.status()[0]!.lastError).toMatchObject({ code: "KHONSU_PEER_UNREACHABLE" });
  await nobody.stop(0);
});

/** Stands between two nodes and keeps what the one that dialled sent. */
async function recording(
  target: TestNode,
): Promise<{ address: string; sent: () => Buffer; stop: () => void }> {
  const chunks: Buffer[] = [];
  const sockets: Socket[] = [];
  const server = createServer((from) => {
    const to = connect(target.server.port, "127.0.0.1");
    sockets.push(from, to);
    from.on("data", (chunk) => chunks.push(chunk));
    from.pipe(to).pipe(from);
    for (const socket of [from, to]) socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("unreachable");
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { address: `127.0.0.1:${address.port}`, sent: () => Buffer.concat(chunks), stop };
}

/** Sends the bytes and waits until the server has closed, or has nothing more to say. */
async function replay(port: number, sent: Uint8Array): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.resume();
  socket.end(sent);
  await once(socket, "close");
}

test("any bytes, and a conversation that was changed here and there: the others notice nothing", async () => {
  const [a, b] = await pair();
  const proxy = await recording(a);
  const c = await startNode(9);
  c.network.setPeers(new Map([[1, proxy.address]]));
  await until(() => c.network.status()[0]!.state === "up");
  for (let i = 0; i < 20; i++) await c.network.ask(1, "shard", bytes(`question ${i}`));
  const conversation = proxy.sent();
  await c.stop();
  proxy.stop();
  expect(conversation.length).toBeGreaterThan(1000);

  const edit = fc.record({ at: fc.nat(conversation.length - 1), to: fc.nat(255) });
  const changed = fc.array(edit, { minLength: 1, maxLength: 8 }).map((edits) => {
    const copy = Buffer.from(conversation);
    for (const { at, to } of edits) copy[at] = to;
    return copy;
  });
  const cut = fc.nat(conversation.length).map((length) => conversation.subarray(0, length));
  const made = fc.uint8Array({ maxLength: 300 });
  const afterPreface = made.map((frames) => Buffer.concat([conversation.subarray(0, 24), frames]));
  await fc.assert(
    fc.asyncProperty(fc.oneof(changed, cut, made, afterPreface), (sent) => replay(a.server.port, sent)),
    { numRuns: 300 },
  );
  await expectUnharmed(a, b);
  // Nothing of it is left.
  await until(() => a.server.connections <= 2);
  expect(a.network.status().filter(({ node, state }) => node !== 2 && state === "up")).toEqual([]);
});
