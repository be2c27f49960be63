/**
 * The rules of docs/spec/transactions.md over many small histories: shards as atomic logs with lagging replicas, late, lost and
 * repeated messages, dying and twin coordinators, clocks that say anything; checked by brute force.
 */
import { expect, test } from "vitest";
import { checkHistory } from "./model/history.ts";

const HISTORIES = Number(process.env.KHONSU_MODEL_HISTORIES ?? 30_000);
const FIRST_SEED = Number(process.env.KHONSU_SEED ?? 1);

test(`${HISTORIES} histories from seed ${FIRST_SEED} keep what their isolation levels promise`, () => {
  let committed = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + HISTORIES; seed++) {
    committed += checkHistory(seed).filter(({ timestamp }) => timestamp !== undefined).length;
  }
  expect(committed).toBeGreaterThan(HISTORIES * 3);
}, 600_000);
