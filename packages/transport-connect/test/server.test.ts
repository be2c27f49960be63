/** One port for everything, over real sockets on loopback: what speaks which protocol, the limits, and the end. */
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect as http2Connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import { type Socket, connect as tcpConnect } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type NodeRequest, type NodeResponse, type RunningServer, startServer } from "../src/index.ts";
import { makeAuthority, signedBy } from "./helpers/certificates.ts";

const running: RunningServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop(0)));
});

type Options = Partial<Parameters<typeof startServer>[0]>;

async function start(options: Options = {}): Promise<RunningServer> {
  const server = await startServer({ routes: () => {}, http: hello, ...options });
  running.push(server);
  return server;
}

function hello(request: NodeRequest, response: NodeResponse): boolean {
  if (request.url !== "/hello") return false;
  response.end(`hello over ${request.httpVersion}`);
  return true;
}

async function get1(url: string, options: object = {}): Promise<{ status: number; text: string }> {
  const make = url.startsWith("https") ? httpsRequest : httpRequest;
  const request = make(url, { agent: false, ...options }).end();
  const [response] = await once(request, "response");
  let text = "";
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode, text };
}

async function get2(url: string, options: object = {}): Promise<string> {
  const session = http2Connect(url, options);
  const stream = session.request({ ":path": "/hello" });
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  session.close();
  return text;
}

/** What the server writes until it closes. */
async function replyTo(socket: Socket, bytes: string | Buffer): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  socket.on("error", () => {});
  if (bytes.length > 0) socket.write(bytes);
  await once(socket, "close");
  return text;
}

test("HTTP/1.1 and HTTP/2 without TLS on one port", async () => {
  const { port } = await start();
  expect(await get1(`http://127.0.0.1:${port}/hello`)).toEqual({ status: 200, text: "hello over 1.1" });
  expect(await get2(`http://127.0.0.1:${port}`)).toBe("hello over 2.0");
  expect((await get1(`http://127.0.0.1:${port}/other`)).status).toBe(404);
});

test("a preface that arrives byte by byte is HTTP/2 all the same", async () => {
  const { port } = await start();
  const socket = tcpConnect(port, "127.0.0.1").setNoDelay(true);
  const reply = once(socket, "data");
  for (const byte of Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) {
    socket.write(Buffer.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  socket.write(Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
  const [frame] = await reply;
  expect(frame[3]).toBe(4); // SETTINGS
  socket.destroy();
});

test("HTTP/1.1 and HTTP/2 over TLS on one port", async () => {
  const authority = await makeAuthority("test authority");
  const tls = await signedBy(authority);
  const { port } = await start({ tls });
  const trusting = { ca: authority.certificate };
  expect((await get1(`https://127.0.0.1:${port}/hello`, trusting)).text).toBe("hello over 1.1");
  expect(await get2(`https://127.0.0.1:${port}`, trusting)).toBe("hello over 2.0");
});

test("whoever sends nothing, or headers without an end, is cut off", async () => {
  const { port } = await start({ limits: { headerTimeoutMs: 100 } });
  expect(await replyTo(tcpConnect(port, "127.0.0.1"), "")).toBe("");
  expect(await replyTo(tcpConnect(port, "127.0.0.1"), "PRI * HT")).toBe("");
  expect(await replyTo(tcpConnect(port, "127.0.0.1"), "GET /hello HTTP/1.1\r\nhost: a\r\n")).toMatch(
    /^HTTP\/1.1 408/,
  );
});

test("an HTTP/2 connection without a stream is closed after a while", async () => {
  const { port } = await start({ limits: { idleTimeoutMs: 50 } });
  const session = http2Connect(`http://127.0.0.1:${port}`);
  await once(session, "close");
});

test("a silent connection with a stream stays while it answers, and goes when it does not", async () => {
  let streams = 0;
  const http = () => ++streams > 0; // never answered
  const { port } = await start({ http, limits: { idleTimeoutMs: 30, headerTimeoutMs: 60 } });
  const alive = http2Connect(`http://127.0.0.1:${port}`);
  alive.request({ ":path": "/" });
  let pings = 0;
  await new Promise<void>((resolve) => alive.on("ping", () => ++pings === 3 && resolve()));
  expect(alive.closed).toBe(false);
  // The same request by hand: settings, and a stream; then nothing, not even an answer to a ping.
  const dead = tcpConnect(port, "127.0.0.1");
  dead.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  dead.write(Buffer.of(0, 0, 0, 4, 0, 0, 0, 0, 0));
  // HEADERS with END_STREAM and END_HEADERS: :method GET, :scheme http, :path /, :authority a
  dead.write(Buffer.of(0, 0, 6, 1, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, 0x61));
  await replyTo(dead, "");
  expect(streams).toBe(2);
  alive.destroy();
});

test("one connection too many is told so in its own protocol", async () => {
  const { port } = await start({ limits: { connectionsMax: 1 } });
  const first = http2Connect(`http://127.0.0.1:${port}`);
  await once(first, "connect");
  expect(await get1(`http://127.0.0.1:${port}/hello`)).toEqual({
    status: 503,
    text: "too many connections\n",
  });
  const second = http2Connect(`http://127.0.0.1:${port}`);
  second.on("error", () => {});
  const [code] = await once(second, "goaway");
  expect(code).toBe(11); // ENHANCE_YOUR_CALM
  first.destroy();
  second.destroy();
});

test("a request that cannot be taken apart is refused and the server goes on", async () => {
  const failures: string[] = [];
  const { port } = await start({ onFailure: (what) => failures.push(what), http: () => JSON.parse("{") });
  expect(await replyTo(tcpConnect(port, "127.0.0.1"), "GET /x HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1.1 500/);
  expect(await replyTo(tcpConnect(port, "127.0.0.1"), "\x16\x03\x01 no HTTP at all\r\n\r\n")).toMatch(
    /^HTTP\/1.1 400/,
  );
  expect(failures).toEqual(["GET /x"]);
  expect((await get1(`http://127.0.0.1:${port}/x`)).status).toBe(500);
});

test("stop lets a request finish, and says GOAWAY", async () => {
  let finish = () => {};
  const asked = new Promise<void>((resolve) => {
    const http = (_request: NodeRequest, response: NodeResponse) => {
      finish = () => response.end("done");
      resolve();
      return true;
    };
    void start({ http }).then(() =>
      get2(`http://127.0.0.1:${running[0]!.port}`).then((text) => texts.push(text)),
    );
  });
  const texts: string[] = [];
  await asked;
  const stopped = running[0]!.stop();
  await expect(get1(`http://127.0.0.1:${running[0]!.port}/hello`)).rejects.toThrow("ECONNREFUSED");
  finish();
  await stopped;
  expect(texts).toEqual(["done"]);
  expect(running[0]!.connections).toBe(0);
});

test("stop cuts off what does not finish", async () => {
  const server = await start({ http: () => true });
  const failed = expect(get1(`http://127.0.0.1:${server.port}/`)).rejects.toThrow(
    /socket hang up|ECONNRESET/,
  );
  while (server.connections === 0) await new Promise((resolve) => setImmediate(resolve));
  await server.stop(10);
  await failed;
});

test("errors: an address in use, a certificate that is none, a limit out of range", async () => {
  const { port } = await start();
  await expect(start({ port })).rejects.toMatchObject({ code: "KHONSU_LISTEN_FAILED" });
  const tls = { certificate: "none", key: "none" };
  await expect(start({ tls })).rejects.toMatchObject({ code: "KHONSU_TLS_INVALID" });
  await expect(start({ limits: { connectionsMax: 0 } })).rejects.toMatchObject({
    code: "KHONSU_INVALID_OPTION",
  });
});
