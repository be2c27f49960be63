// for nodes
export { TransportError, type TransportErrorCode } from "./errors.ts";
export { decodeEnvelope, encodeEnvelope } from "./paxos/envelope-codec.ts";
export {
  DEFAULT_PEER_LIMITS,
  type PeerIdentity,
  type PeerLimits,
  type PeerNetworkOptions,
} from "./peers/options.ts";
export { PeerNetwork } from "./peers/peer-network.ts";
export {
  answerShard,
  SHARD_CHANNEL,
  type ShardTransportOptions,
  shardTransport,
} from "./peers/shard-transport.ts";
export type { LinkState, PeerEvent, PeerStatus, Traffic } from "./peers/status.ts";
export type { NodeRequest, NodeResponse } from "./server/connect-handler.ts";
export { type ConnectionInfo, connectionKey } from "./server/connection-info.ts";
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from "./server/limits.ts";
export { type RunningServer, type ServerOptions, startServer } from "./server/start-server.ts";
export { readTlsFiles, type TlsFiles, type TlsIdentity } from "./server/tls.ts";
