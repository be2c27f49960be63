/** A whole node of `@khonsu/cluster` on logs of its own: the runtime sees no difference to a replicated one. */
import { ClusterNode, type ClusterSession, ShardMapPlacement } from "@khonsu/cluster";
import { systemRuntime } from "@khonsu/core";
import { Level } from "level";
import { type LogDatabase, SingleNodeLog } from "./single-node-log.ts";

const SELF = 1;
const SHARDS = 4;

export interface RunningNode {
  session(): ClusterSession;
  close(): Promise<void>;
}

export async function openNode(directory: string): Promise<RunningNode> {
  const database: LogDatabase = new Level(directory, { keyEncoding: "utf8", valueEncoding: "view" });
  await database.open();
  const logs: SingleNodeLog[] = [];
  const node = await ClusterNode.open({
    self: SELF,
    placement: new ShardMapPlacement({ shardCount: SHARDS, nodes: [{ id: SELF }] }),
    transport: { ask: (to) => Promise.reject(new Error(`There is no node ${to}`)) },
    openConsensus: async (shard, application) => {
      const log = await SingleNodeLog.open({ database, name: `shard-${shard}`, application, self: SELF });
      logs.push(log);
      return log;
    },
    runtime: systemRuntime,
    wallClock: Date.now,
  });
  return {
    session: () => node.session(),
    close: async () => {
      node.close();
      await Promise.all(logs.map((log) => log.close()));
      await database.close();
    },
  };
}
