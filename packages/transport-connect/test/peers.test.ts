/** Links between nodes over real sockets on loopback. */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { bytes, introduce, startNode, stateOf, stopAll, text, until, up } from "./helpers/nodes.ts";

afterEach(stopAll);

test("three nodes: each pair has one link, which the lower one dialled; messages and questions go all ways", async () => {
  const nodes = [await startNode(1), await startNode(2), await startNode(3)];
  introduce(...nodes);
  await up(...nodes);
  for (const { network, node } of nodes) {
    expect(network.status().map(({ link }) => link?.dialledBy)).toEqual(
      [1, 2, 3].filter((other) => other !== node).map((other) => Math.min(node, other)),
    );
    for (const other of nodes) {
      network.send(other.node, 7, bytes(`hello ${other.node}`));
      expect(text(await network.ask(other.node, "shard", bytes("?")))).toBe(
        `${other.node} to ${node}: shard ?`,
      );
    }
  }
  for (const { messages, node } of nodes) {
    await until(() => messages.length === 3);
    expect(messages.sort()).toEqual([1, 2, 3].map((from) => `${from}/7/hello ${node}`));
  }
});

test("what is sent and asked before the link is up goes out once it is", async () => {
  const [a, b] = [await startNode(1), await startNode(2)];
  introduce(a, b);
  a.network.send(2, 1, bytes("early"));
  b.network.send(1, 1, bytes("early as well"));
  const answers = [a.network.ask(2, "shard", bytes("a")), b.network.ask(1, "shard", bytes("b"))];
  expect((await Promise.all(answers)).map(text)).toEqual(["2 to 1: shard a", "1 to 2: shard b"]);
  await until(() => a.messages.length + b.messages.length === 2);
  expect([...a.messages, ...b.messages]).toEqual(["2/1/early as well", "1/1/early"]);
});

test("WIRE-10: messages keep their order, and arrive in batches", async () => {
  const [a, b] = [await startNode(1), await startNode(2)];
  introduce(a, b);
  await up(a, b);
  for (let i = 0; i < 10_000; i++) a.network.send(2, i, bytes(`${i}`));
  await until(() => b.messages.length === 10_000);
  expect(b.messages).toEqual(Array.from({ length: 10_000 }, (_, i) => `1/${i}/${i}`));
  const [status] = b.network.status();
  expect(status!.received.frames).toBeGreaterThanOrEqual(10_000);
  expect(status!.received.batches).toBeLessThan(100);
});

test("a large message on the bulk stream does not hold up the others", async () => {
  const order: string[] = [];
  const onMessage = (_from: number, group: number, message: Uint8Array) =>
    order.push(`${group}:${message.length}`);
  const [a, b] = [await startNode(1), await startNode(2, { onMessage })];
  introduce(a, b);
  await up(a, b);
  a.network.send(2, 1, new Uint8Array(12 * 2 ** 20).fill(7), { bulk: true });
  for (let i = 0; i < 3; i++) a.network.send(2, 2, bytes("small"));
  await until(() => order.length === 4);
  expect(order).toEqual(["2:5", "2:5", "2:5", `1:${12 * 2 ** 20}`]);
});

test("the node with the higher number dials when the lower one does not know its address", async () => {
  const [a, b] = [await startNode(1), await startNode(2, { limits: { courtesyMs: 1 } })];
  b.network.setPeers(new Map([[1, a.address]]));
  expect(text(await b.network.ask(1, "directory", bytes("join")))).toBe("1 to 2: directory join");
  expect(text(await a.network.ask(2, "directory", bytes("who")))).toBe("2 to 1: directory who");
  expect(a.network.status()).toMatchObject([{ node: 2, address: undefined, link: { dialledBy: 2 } }]);
});

test("WIRE-6: when both dial, the link of the lower one stays and nothing that was asked is lost", async () => {
  for (let round = 0; round < 10; round++) {
    const limits = { courtesyMs: 1, heartbeatMs: 20 };
    const [a, b] = [await startNode(1, { limits }), await startNode(2, { limits })];
    b.network.setPeers(new Map([[1, a.address]]));
    if (round % 2 === 0) await until(() => stateOf(b, a) === "up");
    a.network.setPeers(new Map([[2, b.address]]));
    const asked = [a, b].flatMap(({ network, node }) =>
      Array.from({ length: 50 }, (_, i) => network.ask(3 - node, "shard", bytes(`${i}`))),
    );
    await Promise.all(asked);
    const settled = () => [a, b].every(({ network }) => network.status()[0]?.link?.dialledBy === 1);
    // Where node 1 was linked already it has no reason to dial.
    if (round % 2 === 1) await until(settled);
    await stopAll();
  }
});

test("a node that is gone is told apart at once, and linked with again when it is back", async () => {
  const [a, b] = [await startNode(1), await startNode(2)];
  introduce(a, b);
  await up(a, b);
  const asked = expect(a.network.ask(2, "shard", bytes("?"))).resolves.toBeDefined();
  await asked;
  await b.stop();
  await until(() => stateOf(a, b) === "down");
  await expect(a.network.ask(2, "shard", bytes("?"))).rejects.toMatchObject({
    code: "KHONSU_PEER_UNREACHABLE",
    retryable: true,
  });
  a.network.send(2, 1, bytes("lost"));
  expect(a.network.status()[0]!.dropped).toEqual({ unreachable: 2, full: 0, tooLarge: 0 });
  const again = await startNode(2, { port: b.server.port, incarnation: 2 });
  introduce(a, again);
  await up(a, again);
  expect(a.network.status()[0]!.link!.incarnation).toBe(2);
  a.network.send(2, 1, bytes("found"));
  await until(() => again.messages.length === 1);
  expect(again.messages).toEqual(["1/1/found"]);
});

test("WIRE-9: what was asked is rejected when the link breaks, and when it is not answered in time", async () => {
  const never = () => new Promise<Uint8Array>(() => {});
  const [a, b] = [await startNode(1), await startNode(2, { onAsk: never })];
  introduce(a, b);
  await up(a, b);
  await expect(a.network.ask(2, "shard", bytes("?"), 20)).rejects.toMatchObject({
    code: "KHONSU_PEER_TIMEOUT",
  });
  const asked = expect(a.network.ask(2, "shard", bytes("?"))).rejects.toMatchObject({
    code: "KHONSU_PEER_UNREACHABLE",
  });
  await b.stop();
  await asked;
  a.network.close();
  await expect(a.network.ask(2, "shard", bytes("?"))).rejects.toMatchObject({
    code: "KHONSU_TRANSPORT_CLOSED",
  });
});

test("an answer that cannot be given says why; a handler that throws does not break the link", async () => {
  const failing = () =>
    Promise.reject(Object.assign(new Error("no such shard"), { code: "KHONSU_UNAVAILABLE" }));
  const throwing = () => {
    throw new Error("a fault");
  };
  const [a, b] = [await startNode(1), await startNode(2, { onAsk: failing, onMessage: throwing })];
  introduce(a, b);
  a.network.send(2, 1, bytes("?"));
  await expect(a.network.ask(2, "shard", bytes("?"))).rejects.toMatchObject({
    code: "KHONSU_PEER_FAILED",
    message: "Node 2 failed (KHONSU_UNAVAILABLE): no such shard",
  });
  await expect(b.network.ask(2, "shard", bytes("?"))).rejects.toMatchObject({ code: "KHONSU_PEER_FAILED" });
  expect(b.events).toContainEqual({ kind: "handler-failed", node: 1, error: new Error("a fault") });
  expect(stateOf(a, b)).toBe("up");
});

test("when a node is gone the one with the higher number knows at once, and does not wait to be dialled", async () => {
  const [a, b] = [await startNode(1), await startNode(2, { limits: { courtesyMs: 1_000_000 } })];
  introduce(a, b);
  await up(a, b);
  await a.stop();
  await expect(b.network.ask(1, "shard", bytes("?"), 100_000)).rejects.toMatchObject({
    code: "KHONSU_PEER_UNREACHABLE",
  });
});

test("an address that is none, and one where nobody answers, are told", async () => {
  const a = await startNode(1, { limits: { dialTimeoutMs: 50 } });
  const silent = createServer();
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  a.network.setPeers(
    new Map([
      [2, "no address"],
      [3, `127.0.0.1:${port}`],
    ]),
  );
  const error = (at: number) => a.network.status()[at]!.lastError;
  await until(() => error(0) !== undefined && error(1) !== undefined);
  expect(error(0)!.message).toContain("Cannot reach node 2 at no address: ");
  expect(error(1)).toEqual({
    code: "KHONSU_PEER_UNREACHABLE",
    message: `Node 3 at 127.0.0.1:${port} did not answer within 50 ms`,
  });
  silent.close();
  expect(() => a.network.send(2, -1, bytes("?"))).toThrow(RangeError);
  // A network that is closed dials no more.
  a.network.close();
  expect(a.network.status().map(({ state }) => state)).not.toContain("up");
});

test("a node that moves is dialled at its new address", async () => {
  const [a, b] = [await startNode(1), await startNode(2)];
  a.network.setPeers(new Map([[2, "127.0.0.1:1"]]));
  await until(() => stateOf(a, b) === "down");
  introduce(a, b);
  expect(text(await a.network.ask(2, "shard", bytes("moved")))).toBe("2 to 1: shard moved");
  // One that is configured no more is forgotten once its link has ended.
  a.network.setPeers(new Map());
  expect(stateOf(a, b)).toBe("up");
  await b.stop();
  await until(() => stateOf(a, b) !== "up");
  await expect(a.network.ask(2, "shard", bytes("?"))).rejects.toMatchObject({
    code: "KHONSU_PEER_UNREACHABLE",
  });
});
