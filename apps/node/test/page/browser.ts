/** A headless Chromium that comes as a package; undefined, with the reason, where it cannot run, as for lack of a system library. */
import { mkdirSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import chromium from "@sparticuz/chromium";
import puppeteer, { type Browser } from "puppeteer-core";

export type Launched =
  | { readonly browser: Browser; readonly reason?: undefined }
  | { readonly browser?: undefined; readonly reason: string };

/** It unpacks itself into the directory of temporary files, where the tests of another package may be unpacking theirs. */
async function unpacked(): Promise<string> {
  const before = process.env.TMPDIR;
  const own = fileURLToPath(new URL("../../node_modules/.cache/chromium", import.meta.url));
  mkdirSync(own, { recursive: true });
  process.env.TMPDIR = own;
  try {
    return await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}

/** A program that was unpacked just now may still be busy as a file: then it cannot be run yet. */
async function launch(executablePath: string, attempts = 5): Promise<Browser> {
  try {
    return await puppeteer.launch({ executablePath, args: chromium.args, headless: "shell" });
  } catch (error) {
    if (attempts === 1) throw error;
    await setTimeout(500);
    return launch(executablePath, attempts - 1);
  }
}

/** `KHONSU_CHROMIUM` names another one. */
export async function launchBrowser(): Promise<Launched> {
  try {
    const executablePath = process.env.KHONSU_CHROMIUM ?? (await unpacked());
    return { browser: await launch(executablePath) };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { reason: `no headless Chromium runs here (${why}); name one in KHONSU_CHROMIUM` };
  }
}
