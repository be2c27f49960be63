/** A headless Chromium that comes as a package; undefined, with the reason, where it cannot run, as for lack of a system library. */
import chromium from "@sparticuz/chromium";
import puppeteer, { type Browser } from "puppeteer-core";

export type Launched =
  | { readonly browser: Browser; readonly reason?: undefined }
  | { readonly browser?: undefined; readonly reason: string };

/** `KHONSU_CHROMIUM` names another one. */
export async function launchBrowser(): Promise<Launched> {
  try {
    const executablePath = process.env.KHONSU_CHROMIUM ?? (await chromium.executablePath());
    const browser = await puppeteer.launch({ executablePath, args: chromium.args, headless: "shell" });
    return { browser };
  } catch (error) {
    const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
    return { reason: `no headless Chromium runs here (${why}); name one in KHONSU_CHROMIUM` };
  }
}
