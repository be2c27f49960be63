import { Khonsu } from "@khonsu/core";
import { describe, test } from "vitest";
import { transactionSuite } from "./transaction-suite.ts";

describe("the embedded store", () => {
  transactionSuite({
    test,
    open: async () => {
      const db = await Khonsu.open();
      return { first: db, second: db, settle: (promise) => promise, close: () => db.close() };
    },
  });
});
