import { once } from "node:events";
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import { type Serve, type TransportNetwork, transportSuite } from "@khonsu/testkit/transport-suite";
import { expect, test } from "vitest";
import { encodeFrame, FRAME_BYTES_MAX, type Frame, FrameReader } from "../src/frames.ts";
import { TcpTransport } from "../src/tcp-transport.ts";

class TcpNetwork implements TransportNetwork {
  readonly #running = new Map<number, TcpTransport>();

  async start(node: number, serve: Serve): Promise<TcpTransport> {
    const portOf = (other: number) => this.#running.get(other)?.port;
    const transport = await TcpTransport.listen({ serve, portOf });
    this.#running.set(node, transport);
    return transport;
  }

  async stop(node: number): Promise<void> {
    await this.#running.get(node)?.close();
    this.#running.delete(node);
  }

  async dispose(): Promise<void> {
    for (const node of [...this.#running.keys()]) await this.stop(node);
  }
}

transportSuite({ test, factory: () => new TcpNetwork() });

test("frames are put together from whatever pieces they come in", () => {
  const frames: Frame[] = [0, 1, 5000].map((bytes, number) => ({
    kind: number === 1 ? "answer" : "question",
    number: number * 2 ** 40,
    shard: number,
    body: Buffer.alloc(bytes, number),
  }));
  const stream = Buffer.concat(frames.map(encodeFrame));
  for (const size of [1, 2, 3, 7, 21, 4096, stream.length]) {
    const reader = new FrameReader();
    const read: Frame[] = [];
    for (let at = 0; at < stream.length; at += size)
      read.push(...reader.push(stream.subarray(at, at + size)));
    expect(read).toEqual(frames);
  }
});

test("whoever sends what is no frame is cut off, and others are served", async () => {
  const transport = await TcpTransport.listen({
    serve: async () => ({ kind: "valid" }),
    portOf: () => transport.port,
  });
  const tooLong = Buffer.alloc(4);
  tooLong.writeUInt32BE(FRAME_BYTES_MAX + 1);
  const wrongKind = encodeFrame({ kind: "message", number: 0, shard: 0, body: Buffer.alloc(0) });
  wrongKind.writeUInt8(9, 4);
  for (const bytes of [tooLong, wrongKind, Buffer.from("GET / HTTP/1.1\r\n\r\n"), Buffer.alloc(64)]) {
    const socket = connect(transport.port, "127.0.0.1");
    socket.on("error", () => {});
    socket.resume();
    socket.write(bytes);
    await once(socket, "close");
  }
  // Half a frame, and then nothing: it waits, and nobody waits for it.
  const silent = connect(transport.port, "127.0.0.1");
  silent.on("error", () => {});
  silent.write(Buffer.of(0, 0));
  await once(silent, "connect");
  await setImmediate();
  expect(await transport.ask(1, 0, { kind: "identities", keys: [] })).toEqual({ kind: "valid" });
  await transport.close();
});
