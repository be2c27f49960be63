// Embedding a node.
export { NodeError, type NodeErrorCode } from "./node/config/errors.ts";
export type { NodeConfig, NodeConfigInput } from "./node/config/schema.ts";
export type { HttpRoute } from "./node/http-routes.ts";
export type {
  ClockStatus,
  HostedShardStatus,
  MemberStatus,
  NodeStatus,
  PlacementStatus,
  Quantiles,
  ReplicaRole,
  ShardStatusReport,
  StorageStatus,
  TransactionCounters,
} from "./node/node-status.ts";
export type { RunningNode } from "./node/running-node.ts";
export { type StartNodeOptions, startNode } from "./node/start-node.ts";
// The page that `khonsu serve` shows, for `pages` of a node that is embedded.
export { statusPage } from "./page/serve-page.ts";
