/** The configuration of vitest in every package. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** What hangs is ended; a shorter limit would time the machine rather than the code. */
const HANGING_MS = 300_000;

export const testConfig = defineConfig({
  test: {
    setupFiles: [fileURLToPath(new URL("./setup.ts", import.meta.url))],
    testTimeout: HANGING_MS,
    hookTimeout: HANGING_MS,
  },
});
