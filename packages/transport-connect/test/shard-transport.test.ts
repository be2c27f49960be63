/** The cluster's transport over real sockets: what is asked arrives, what is answered comes back, what is damaged is refused. */
import type { Serve, ShardRequest } from "@khonsu/cluster";
import { afterEach, expect, test } from "vitest";
import { answerShard, shardTransport } from "../src/index.ts";
import { bytes, introduce, startNode, stopAll } from "./helpers/nodes.ts";

afterEach(stopAll);

const request: ShardRequest = { kind: "identities", keys: ["a", "b"] };

test("a shard of another node, and of this one", async () => {
  const asked: [number, ShardRequest][] = [];
  const serve: Serve = async (shard, what) => {
    asked.push([shard, what]);
    return { kind: "unavailable", message: `shard ${shard} is not here` };
  };
  const onAsk = (_from: number, _channel: string, body: Uint8Array) => answerShard(serve, body);
  const [a, b] = [await startNode(1, { onAsk }), await startNode(2, { onAsk })];
  introduce(a, b);
  const transport = shardTransport(a.network);
  for (const node of [1, 2]) {
    expect(await transport.ask(node, 17, request)).toEqual({
      kind: "unavailable",
      message: "shard 17 is not here",
    });
  }
  expect(asked).toEqual([
    [17, request],
    [17, request],
  ]);
  await expect(transport.ask(3, 17, request)).rejects.toMatchObject({ code: "KHONSU_PEER_UNREACHABLE" });
});

test("a question that is none is refused, and nobody is asked", async () => {
  const serve = () => Promise.reject(new Error("unreachable"));
  await expect(answerShard(serve, bytes("no question"))).rejects.toMatchObject({
    code: "KHONSU_FRAME_MALFORMED",
  });
  await expect(answerShard(serve, Uint8Array.of(8, 1))).rejects.toMatchObject({
    code: "KHONSU_FRAME_MALFORMED",
  });
  await expect(answerShard(serve, Uint8Array.of(8, 1, 18, 2, 255, 255))).rejects.toMatchObject({
    code: "KHONSU_REQUEST_MALFORMED",
  });
});
