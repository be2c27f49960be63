/** Runs the two withdrawals at both levels and says what became of the rule. */
import { withdrawTwice } from "./write-skew.ts";

for (const isolation of ["repeatable-read", "serializable"] as const) {
  const { allowed, total, retries } = await withdrawTwice(isolation);
  const verdict = total < 0 ? "the rule is broken" : "the rule holds";
  console.log(`${isolation}: allowed ${allowed.join(", ")}, retries ${retries}, total ${total}: ${verdict}`);
}
