/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The status page in a headless Chromium: it shows what the node says, live, says when it does not, and everybody can use it. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { TemporaryDirectory } from "../../src/demo/temporary-directory.ts";
import type { NodeStatus } from "../../src/node/node-status.ts";
import { startNode } from "../../src/node/start-node.ts";
import { statusPage } from "../../src/page/serve-page.ts";
import { freePorts } from "../node/free-ports.ts";
import { launchBrowser } from "./browser.ts";
import { type PageServer, servePage } from "./page-server.ts";
import { sampleStatus } from "./sample-status.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser: Browser | undefined;
let reason: string | undefined;
let server: PageServer;
let status: () => NodeStatus | undefined = () => undefined;

beforeAll(async () => {
  ({ browser, reason } = await launchBrowser());
  if (reason !== undefined) process.stderr.write(`The status page is not tested: ${reason}\n`);
  server = await servePage(() => status());
});
afterAll(async () => {
  await browser?.close();
  await server[Symbol.asyncDispose]();
});

interface Opened extends AsyncDisposable {
  readonly page: Page;
  /** What went wrong in the page, and what it asked of others than the node. */
  readonly complaints: string[];
}

async function open(
  context: TestContext,
  how: { width?: number; scheme?: "light" | "dark" } = {},
): Promise<Opened> {
  if (browser === undefined) return context.skip(reason);
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !message.text().includes("503")) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url)) complaints.push(request.url());
  });
  await page.setViewport({ width: how.width ?? 1280, height: 900 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: how.scheme ?? "light" }]);
  await page.goto(server.url);
  return { page, complaints, [Symbol.asyncDispose]: () => page.close() };
}

/** The text of an element once it contains `text`. */
async function waitForText(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForFunction(
    (selector, text) => document.querySelector(selector)?.textContent?.includes(text) === true,
    { polling: 50 },
    selector,
    text,
  );
}

test("shows what the node says, with nothing from elsewhere", async (context) => {
  status = () => sampleStatus(300);
  await using opened = await open(context);
  const { page, complaints } = opened;
  await waitForText(page, "h1", "flights-eu");
  expect(await page.title()).toBe("flights-eu · node 1");
  const found = await page.evaluate(() => ({
    arcs: document.querySelectorAll(".ring .arc").length,
    members: document.querySelectorAll(".members tbody tr").length,
    shards: document.querySelectorAll(".shards tbody tr").length,
    conflicts: [...document.querySelectorAll(".bars .what")].map((what) => what.textContent),
    tiles: Object.fromEntries(
      [...document.querySelectorAll(".tile")].map((tile) => [
        tile.querySelector("dt")?.textContent,
        tile.querySelector("dd")?.textContent,
      ]),
    ),
    ring: document.querySelector(".ring svg")?.getAttribute("aria-label"),
    third: document.querySelectorAll(".shards tbody tr")[3]?.textContent?.replaceAll(/\s+/g, " "),
  }));
  expect(found).toMatchObject({
    arcs: 16,
    members: 4,
    shards: 16,
    conflicts: ["Write–write conflict", "Read–write conflict", "Key held by a prepared transaction"],
    tiles: {
      Commits: expect.stringMatching(/^\d,\d{3}\/s$/),
      "In doubt": "6",
      Lag: "2",
      "Synced write": "820 µs",
    },
    ring: "Ring: 16 shards on 4 nodes.",
  });
  expect(found.third).toContain("1 follower far behind");
  expect(complaints).toEqual([]);
});

test("is live: rates come from what the node says next, until it is paused", async (context) => {
  let second = 300;
  status = () => sampleStatus(second);
  await using opened = await open(context);
  const { page } = opened;
  await waitForText(page, "header p", "up 5 min 0 s");
  second = 302;
  await waitForText(page, "header p", "up 5 min 2 s");
  const counters = [sampleStatus(300), sampleStatus(302)].map(({ transactions }) => transactions.committed);
  const rate = Math.round((counters[1]! - counters[0]!) / 2).toLocaleString("en-US");
  await waitForText(page, ".chart .legend", `commits ${rate}/s`);
  expect(await page.$eval(".chart svg", (svg) => svg.getAttribute("aria-label"))).toContain(
    `commits ${rate}/s`,
  );
  await page.focus("button.pill");
  await page.keyboard.press("Space");
  await waitForText(page, "button.pill", "paused");
  await page.keyboard.press("Space");
  await waitForText(page, "button.pill", "live");
});

test("says that the node does not answer, and goes on when it does", async (context) => {
  status = () => sampleStatus(300);
  await using opened = await open(context);
  const { page, complaints } = opened;
  await waitForText(page, "h1", "flights-eu");
  status = () => undefined;
  await waitForText(page, ".banner", "The node does not answer: it answered 503");
  expect(await page.$eval("#announcer", (line) => line.textContent)).toContain("does not answer");
  expect(await page.$eval("h1", (title) => title.textContent)).toBe("flights-eu");
  status = () => sampleStatus(310);
  await waitForText(page, "header p", "up 5 min 10 s");
  expect(await page.$(".banner")).toBeNull();
  await waitForText(page, "#announcer", "answers again");
  expect(complaints).toEqual([]);
});

test("a page that never had an answer says why", async (context) => {
  status = () => undefined;
  await using opened = await open(context);
  await waitForText(opened.page, ".waiting", "The node does not answer: it answered 503");
});

test("shows what is wrong, and only that on request", async (context) => {
  const base = sampleStatus(300);
  const shards = base.shards.map((shard) => {
    if (shard.shard === 0) return { ...shard, leader: null };
    if (shard.shard === 2)
      return { ...shard, here: { ...shard.here!, role: "fenced" as const, fencedBecause: "disk full" } };
    return { ...shard, here: shard.here && { ...shard.here, followers: [] } };
  });
  status = () =>
    sampleStatus(300, { shards, ready: false, problems: ["shard 0 hears of no leader", "<b>shard 2</b>"] });
  await using opened = await open(context);
  const { page } = opened;
  await waitForText(page, ".banner.warn", "shard 0 hears of no leader");
  // What a node says is text, whatever stands in it.
  await waitForText(page, ".banner.warn", "<b>shard 2</b>");
  await waitForText(page, "header .standing", "not ready");
  expect(await page.$eval(".ring svg", (svg) => svg.getAttribute("aria-label"))).toContain(
    "1 without a known leader",
  );
  await page.click("input[type=checkbox]");
  await page.waitForFunction(() => document.querySelectorAll(".shards tbody tr").length === 2, {
    polling: 50,
  });
  expect(await page.$eval(".shards tbody", (body) => body.textContent)).toMatch(
    /no leader known[\s\S]*fenced: disk full/,
  );
});

test("a node without transactions, replicas or conflicts is shown too", async (context) => {
  const { transactions, storage, shards } = sampleStatus(0);
  status = () =>
    sampleStatus(1, {
      clock: { timestamp: 0, aheadMs: null },
      transactions: { ...transactions, committed: 0, refused: {}, committedPerSecond: 0, latencyMs: null },
      storage: { ...storage, syncs: 0, syncMs: null },
      shards: shards.slice(0, 1).map((shard) => ({ ...shard, here: null, leader: null })),
    });
  await using opened = await open(context);
  const { page, complaints } = opened;
  await waitForText(page, ".empty", "No attempt has been refused");
  expect(await page.$$eval(".ring .arc", (arcs) => arcs.length)).toBe(1);
  // Of a shard without a replica here no leader is known, and nothing is wrong.
  expect(await page.$eval(".ring svg", (svg) => svg.getAttribute("aria-label"))).not.toContain("without");
  expect(await page.$eval(".ring .arc path", (path) => path.getAttribute("style"))).toBe(
    "fill:var(--no-node)",
  );
  expect(complaints).toEqual([]);
});

test("a running node serves it, and says which of its files have not changed", async (context) => {
  const [port] = await freePorts(1);
  const data = new TemporaryDirectory("khonsu-page-");
  const address = `127.0.0.1:${port}`;
  const node = await startNode(
    {
      node: 1,
      cluster: "paged",
      data: data.path,
      found: [{ node: 1, address }],
      listen: { port: port! },
      log: { level: "error" },
    },
    { pages: [statusPage()] },
  );
  try {
    await node.ready();
    const answer = await fetch(`http://${address}/page/main.js`);
    expect([answer.status, answer.headers.get("content-security-policy")]).toEqual([
      200,
      expect.stringContaining("default-src 'none'"),
    ]);
    const etag = answer.headers.get("etag")!;
    const again = await fetch(`http://${address}/page/main.js`, { headers: { "if-none-match": etag } });
    expect([again.status, await again.text()]).toEqual([304, ""]);
    expect((await fetch(`http://${address}/page/../package.json`)).status).toBe(404);
    if (browser === undefined) return context.skip(reason);
    const page = await browser.newPage();
    await page.goto(`http://${address}/`);
    await waitForText(page, "h1", "paged");
    await waitForText(page, "header .standing", "ready");
    expect(await page.$$eval(".shards tbody tr", (rows) => rows.length)).toBe(16);
    await page.close();
  } finally {
    await node.stop();
    data[Symbol.dispose]();
  }
});

describe.each([320, 390, 768, 1280])("at a width of %i", (width) => {
  test.each(["light", "dark"] as const)(
    "%s: nothing is cut off, and axe finds nothing against it",
    async (scheme, ...rest) => {
      const context = rest.at(-1) as unknown as TestContext;
      status = () => sampleStatus(300, { ready: false, problems: ["shard 3 hears of no leader"] });
      await using opened = await open(context, { width, scheme });
      const { page } = opened;
      await waitForText(page, "h1", "flights-eu");
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
      await page.evaluate(AXE);
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        return (await axe.run()).violations.map(
          ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
        );
      });
      expect(violations).toEqual([]);
    },
  );
});
