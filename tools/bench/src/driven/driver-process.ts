/** Runs a workload in a store of its own or against a cluster, in a process of its own. */
import { answerParent } from "../child.ts";
import type { Driven } from "./driven.ts";
import type { FromDriver, ToDriver } from "./messages.ts";
import { openDriven } from "./open-driven.ts";

let driven: Driven | undefined;

async function answer(message: ToDriver): Promise<FromDriver> {
  if (message.kind === "open") {
    driven = await openDriven(message.store, message.workload);
    return { kind: "done" };
  }
  if (message.kind === "close") {
    await driven?.close();
    return { kind: "done" };
  }
  if (driven === undefined) throw new Error("There is no store yet");
  if (message.kind === "run") return driven.run(message.count, message.callers);
  if (message.kind === "record") return driven.record(message.count, message.callers, message.what);
  await driven.check();
  return { kind: "done" };
}

answerParent(answer);
