/** Properties and exhaustive tests take seconds, and more on a busy machine. */
import { defineConfig } from "vitest/config";

export default defineConfig({ test: { testTimeout: 60_000 } });
