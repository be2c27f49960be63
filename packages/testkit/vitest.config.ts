import { defineConfig } from "vitest/config";

// The oracles enumerate small worlds and the simulator runs many seeds: work for the processor that may take its time on a busy machine.
export default defineConfig({ test: { testTimeout: 120_000 } });
