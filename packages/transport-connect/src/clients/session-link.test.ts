import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { Runtime } from "@khonsu/core";
import { expect, test } from "vitest";
import { type ClientService, DescribeResponseSchema } from "../gen/khonsu/client/v1/client_pb.ts";
import { SessionLink } from "./session-link.ts";

const MIB = 2 ** 20;

/** A link to a node that never says anything, and a clock that passes by hand. */
function silentLink() {
  let now = 0;
  let due: { at: number; run: () => void } | undefined;
  const runtime: Pick<Runtime, "now" | "schedule"> = {
    now: () => now,
    schedule: (milliseconds, run) => {
      due = { at: now + milliseconds, run };
      return () => {
        due = undefined;
      };
    },
  };
  const client = {
    session: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) }),
  };
  const link = new SessionLink({
    address: "a:1",
    client: client as unknown as Client<typeof ClientService>,
    description: create(DescribeResponseSchema, {
      questionsMax: 10,
      waitsMax: 10,
      questionBytesMax: 8 * MIB,
    }),
    runtime: runtime as Runtime,
    idleMs: 10_000,
    askMs: 250,
    silenceMs: 1000,
    onClock: () => {},
    endOfTurn: async () => {},
    onEnd: () => {},
  });
  const pass = (milliseconds: number): void => {
    const until = now + milliseconds;
    while (due !== undefined && due.at <= until) {
      now = due.at;
      due.run();
    }
    now = until;
  };
  return { link, pass };
}

test("a node that is silent while an answer is awaited is given up on; what is large may take its time to get there", async () => {
  for (const [bytes, patienceMs] of [
    [100, 1000],
    [5 * MIB, 6000],
  ] as const) {
    const { link, pass } = silentLink();
    pass(60_000);
    let error: unknown;
    const asked = link.ask({ case: "coordinator", value: new Uint8Array(bytes) }, bytes, false, () => {});
    const settled = asked.catch((reason: unknown) => {
      error = reason;
    });
    pass(patienceMs);
    await Promise.resolve();
    expect(error).toBeUndefined();
    pass(1000);
    await settled;
    expect(error).toMatchObject({ code: "KHONSU_PEER_UNREACHABLE" });
  }
});
