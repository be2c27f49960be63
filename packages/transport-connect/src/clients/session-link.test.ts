import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/helpers/manual-clock.ts";
import { DescribeResponseSchema } from "../gen/khonsu/client/v1/client_pb.ts";
import { NOBODY, type PeerStream } from "../peers/peer-stream.ts";
import { SessionLink } from "./session-link.ts";

const MIB = 2 ** 20;

/** A link to a node that never says anything, and a clock that passes by hand. */
function silentLink() {
  const clock = new ManualClock();
  const stream: PeerStream = { handlers: NOBODY, write: () => true, end: () => {} };
  const link = new SessionLink({
    address: "a:1",
    stream,
    description: create(DescribeResponseSchema, {
      questionsMax: 10,
      waitsMax: 10,
      questionBytesMax: 8 * MIB,
    }),
    runtime: clock,
    idleMs: 10_000,
    askMs: 250,
    silenceMs: 1000,
    onClock: () => {},
    onLeaders: () => {},
    departure: { schedule: (run) => run(), hasLeft() {} },
    onEnd: () => {},
  });
  return { link, clock };
}

const askingWith = (bytes: number) => ({
  shard: undefined,
  body: new Uint8Array(bytes),
  patienceMs: 0,
  isWait: false,
  isSent: false,
});

test("a node that is silent while an answer is awaited is given up on; what is large may take its time to get there", async () => {
  for (const [bytes, patienceMs] of [
    [100, 1000],
    [5 * MIB, 6000],
  ] as const) {
    const { link, clock } = silentLink();
    clock.pass(60_000);
    let error: unknown;
    const asked = link.ask(askingWith(bytes), 1e6);
    const settled = asked.catch((reason: unknown) => {
      error = reason;
    });
    clock.pass(patienceMs);
    await Promise.resolve();
    expect(error).toBeUndefined();
    clock.pass(1000);
    await settled;
    expect(error).toMatchObject({ code: "KHONSU_PEER_UNREACHABLE" });
  }
});
