import { defineConfig } from "vitest/config";

// Each test runs whole processes, on a machine that may be busy.
export default defineConfig({ test: { testTimeout: 120_000 } });
