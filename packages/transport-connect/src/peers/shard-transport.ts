/** The cluster's `Transport` over the links between nodes: questions on channel "shard", and the side that answers them. */
import {
  decodeShardAnswer,
  decodeShardRequest,
  encodeShardAnswer,
  encodeShardRequest,
  type Serve,
  type ShardRequest,
  type Transport,
  WATCH_PATIENCE_MS,
} from "@khonsu/cluster";
import { WireWriter } from "@khonsu/cluster/wire";
import { malformed, readerOf } from "../wire/malformed.ts";
import type { PeerNetwork } from "./peer-network.ts";

export const SHARD_CHANNEL = "shard";
const SHARD_MAX = 2 ** 31;

export interface ShardTransportOptions {
  /** Milliseconds for an answer, watches apart, which may take as long as the cluster says. Default 10,000. */
  readonly askTimeoutMs?: number;
}

/** @returns what asks the shards of other nodes; those of this node, too, without a network. Rejects with `TransportError`s. */
export function shardTransport(
  network: Pick<PeerNetwork, "ask">,
  { askTimeoutMs = 10_000 }: ShardTransportOptions = {},
): Transport {
  return {
    async ask(node, shard, request) {
      const isWatch = request.kind === "changes" || request.kind === "awaitChange";
      // A little more than the shard takes, so that its own answer comes first.
      const patienceMs = isWatch ? WATCH_PATIENCE_MS + 1000 : askTimeoutMs;
      const answer = await network.ask(node, SHARD_CHANNEL, encodeQuestion(shard, request), patienceMs);
      return decodeShardAnswer(answer);
    },
  };
}

/**
 * Answers a question on channel "shard": for `onAsk` of the network.
 *
 * @throws TransportError `KHONSU_FRAME_MALFORMED`, or ClusterError `KHONSU_REQUEST_MALFORMED`, before anything is done
 */
export async function answerShard(serve: Serve, body: Uint8Array): Promise<Uint8Array> {
  const { request, shard } = decodeQuestion(body);
  return encodeShardAnswer(await serve(shard, request));
}

function encodeQuestion(shard: number, request: ShardRequest): Uint8Array {
  const bytes = encodeShardRequest(request);
  const writer = new WireWriter(bytes.length + 32);
  writer.uint(1, shard);
  writer.bytes(2, bytes);
  return writer.finish();
}

function decodeQuestion(body: Uint8Array): { shard: number; request: ShardRequest } {
  const reader = readerOf(body);
  let shard = 0;
  let bytes: Uint8Array | undefined;
  for (let field = reader.field(); field !== 0; field = reader.field()) {
    if (field === 1) shard = reader.uint();
    else if (field === 2) bytes = reader.bytes();
    else throw malformed(`a question has field ${field}, which this version does not know`);
  }
  if (bytes === undefined || shard >= SHARD_MAX) throw malformed("a question is for no shard");
  return { shard, request: decodeShardRequest(bytes) };
}
