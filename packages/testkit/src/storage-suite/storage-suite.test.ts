import { MemoryStorage } from "@khonsu/core";
import { describe, test } from "vitest";
import { storageSuite } from "./index.ts";

describe("memory storage", () => {
  storageSuite({
    test,
    factory: () => {
      const storage = new MemoryStorage();
      return { open: () => storage, crash: () => {} };
    },
  });
});
