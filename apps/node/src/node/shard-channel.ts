/**
 * Shard requests between nodes: a question on the channel "shard" of the peers is the number of the shard (four bytes, big-endian) and the
 * request as bytes; the answer is the shard's answer as bytes.
 */
import {
  decodeShardAnswer,
  decodeShardRequest,
  encodeShardAnswer,
  encodeShardRequest,
  type ShardAnswer,
  type ShardRequest,
  type Transport,
} from "@khonsu/cluster";
import type { PeerNetwork } from "@khonsu/transport-connect";

export const SHARD_CHANNEL = "shard";
const SHARD_BYTES = 4;

/** How this node asks the shards of others. */
export function shardTransport(peers: PeerNetwork): Transport {
  return {
    ask: async (node, shard, request) => {
      const encoded = encodeShardRequest(request);
      const body = new Uint8Array(SHARD_BYTES + encoded.length);
      new DataView(body.buffer).setUint32(0, shard);
      body.set(encoded, SHARD_BYTES);
      return decodeShardAnswer(await peers.ask(node, SHARD_CHANNEL, body));
    },
  };
}

/** Answers what another node asks of a shard here. @throws ClusterError `KHONSU_REQUEST_MALFORMED` */
export async function answerShard(
  serve: (shard: number, request: ShardRequest) => Promise<ShardAnswer>,
  body: Uint8Array,
): Promise<Uint8Array> {
  if (body.length < SHARD_BYTES) throw new RangeError(`A question of ${body.length} bytes names no shard`);
  const shard = new DataView(body.buffer, body.byteOffset).getUint32(0);
  return encodeShardAnswer(await serve(shard, decodeShardRequest(body.subarray(SHARD_BYTES))));
}
