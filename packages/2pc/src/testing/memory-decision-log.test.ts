import { test } from "vitest";
import { decisionLogSuite } from "./decision-log-suite.ts";
import { MemoryDecisionLog, type MemoryMedium } from "./memory-decision-log.ts";

decisionLogSuite({
  test,
  factory: async () => {
    const medium: MemoryMedium = { lines: [] };
    return {
      open: async () => new MemoryDecisionLog(medium),
      crash: async () => {},
      dispose: async () => {},
    };
  },
  supports: { crash: true },
});
