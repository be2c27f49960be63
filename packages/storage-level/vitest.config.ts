import { defineConfig } from "vitest/config";

// Tests here open hundreds of databases on a disk of unknown speed; the limit is there for what hangs.
export default defineConfig({ test: { testTimeout: 120_000, hookTimeout: 60_000 } });
