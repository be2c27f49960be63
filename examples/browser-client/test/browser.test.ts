/**
 * Two pages in a headless Chromium, on two of three nodes: what one writes the other shows, no vote is lost where both vote at once, and
 * both go on when the node that a page came from is gone.
 */
/// <reference lib="dom" />
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type RunningNode, startNode } from "@khonsu/node";
import chromium from "@sparticuz/chromium";
import puppeteer, { type Browser, type Page } from "puppeteer-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { boardPage } from "../src/board-page.ts";

let browser: Browser | undefined;
let reason = "";
let nodes: RunningNode[] = [];
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "khonsu-board-"));
  browser = await launch();
  if (browser !== undefined) nodes = await startNodes();
});
afterAll(async () => {
  await browser?.close();
  await Promise.all(nodes.map((node) => node.stop()));
  await rm(directory, { recursive: true });
});

/** Chromium unpacks itself into the directory of temporary files, where the tests of another package may be unpacking theirs. */
async function unpacked(): Promise<string> {
  const before = process.env.TMPDIR;
  const own = fileURLToPath(new URL("../node_modules/.cache/chromium", import.meta.url));
  await mkdir(own, { recursive: true });
  process.env.TMPDIR = own;
  try {
    return await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** `KHONSU_CHROMIUM` names another Chromium than that of the package. */
async function launch(): Promise<Browser | undefined> {
  try {
    const executablePath = process.env.KHONSU_CHROMIUM ?? (await unpacked());
    return await launchAt(executablePath);
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    reason = `no headless Chromium runs here (${why}); name one in KHONSU_CHROMIUM`;
    process.stderr.write(`The page is not tested: ${reason}\n`);
    return undefined;
  }
}

/** A program that was unpacked just now may still be busy as a file: then it cannot be run yet. */
async function launchAt(executablePath: string, attempts = 5): Promise<Browser> {
  try {
    return await puppeteer.launch({ executablePath, args: chromium.args, headless: "shell" });
  } catch (error) {
    if (attempts === 1) throw error;
    await setTimeout(500);
    return launchAt(executablePath, attempts - 1);
  }
}

async function startNodes(): Promise<RunningNode[]> {
  const ports = await Promise.all([1, 2, 3].map(freePort));
  const found = ports.map((port, i) => ({ node: i + 1, address: `127.0.0.1:${port}` }));
  const pages = [await boardPage()];
  const started = await Promise.all(
    found.map(({ node }, i) =>
      startNode(
        {
          node,
          cluster: "board",
          data: join(directory, `${node}`),
          found,
          listen: { port: ports[i]! },
          log: { level: "error" },
          // A page goes on with another node than it came from, which is another origin.
          browserOrigins: found.map(({ address }) => `http://${address}`),
        },
        { pages },
      ),
    ),
  );
  await Promise.all(started.map((node) => node.ready()));
  return started;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

async function open(node: RunningNode): Promise<{ page: Page; errors: string[] }> {
  const page = await browser!.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  await page.goto(`http://${node.address}/board`);
  return { page, errors };
}

/** Waits until the page shows these proposals, each "name votes". */
async function shows(page: Page, ...proposals: string[]): Promise<void> {
  const isThere = (wanted: string) =>
    [...document.querySelectorAll("li")]
      .map((row) => `${row.querySelector("span")?.textContent} ${row.querySelector("button")?.textContent}`)
      .join() === wanted;
  await page.waitForFunction(isThere, { polling: 50, timeout: 60_000 }, proposals.join());
}

async function propose(page: Page, name: string): Promise<void> {
  await page.type("input", name);
  await page.keyboard.press("Enter");
}

const press = (page: Page, label: string) =>
  page.$eval(`[aria-label="${label}"]`, (button) => (button as HTMLButtonElement).click());
const vote = (page: Page, name: string) => press(page, `Vote for ${name}`);

test("pages of two nodes read, write and watch, lose no vote, and outlive a node", async (context) => {
  if (browser === undefined) return context.skip(reason);
  const first = await open(nodes[0]!);
  const second = await open(nodes[1]!);
  await propose(first.page, "Cats");
  await shows(second.page, "Cats 0");
  await propose(second.page, "Dogs <b>");
  for (const { page } of [first, second]) await shows(page, "Cats 0", "Dogs <b> 0");

  const votes = 15;
  const many = async (page: Page) => {
    for (let i = 0; i < votes; i++) await vote(page, "Cats");
  };
  await Promise.all([many(first.page), many(second.page)]);
  for (const { page } of [first, second]) await shows(page, `Cats ${2 * votes}`, "Dogs <b> 0");

  await nodes.shift()!.stop();
  await vote(first.page, "Dogs <b>");
  for (const { page } of [first, second]) await shows(page, `Cats ${2 * votes}`, "Dogs <b> 1");
  await press(second.page, "Withdraw Cats");
  for (const { page } of [first, second]) await shows(page, "Dogs <b> 1");
  expect([...first.errors, ...second.errors]).toEqual([]);
});
