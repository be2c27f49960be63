// for nodes

// for clients
export { type ClientOptions, ClusterClient } from "./clients/cluster-client.ts";
export { type ClientTls, type ConnectOptions, connectCluster } from "./clients/connect-cluster.ts";
export type { TransactionOutcome } from "./clients/outcome.ts";
export { DEFAULT_REMOTE_PATIENCE, type RemotePatience } from "./clients/remote-cluster.ts";
export {
  type ClientLimits,
  type ClientRoutes,
  type ClientRoutesOptions,
  clientRoutes,
  DEFAULT_CLIENT_LIMITS,
} from "./clients/server/client-routes.ts";
// for nodes, to serve clients
export type { Description } from "./clients/server/client-service.ts";
export { type Authenticator, allowAnybody, type Principal } from "./clients/server/principal.ts";
export { TokenFile, type TokenFileOptions } from "./clients/server/token-file.ts";
export { TransportError, type TransportErrorCode } from "./errors.ts";
export { decodeEnvelope, encodeEnvelope } from "./paxos/envelope-codec.ts";
export { EnvelopeEncoder } from "./paxos/envelope-encoder.ts";
export {
  DEFAULT_PEER_LIMITS,
  type PeerIdentity,
  type PeerLimits,
  type PeerNetworkOptions,
  type ProtocolRange,
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
export { type ConnectionInfo, connectionKey, connectionOf } from "./server/connection-info.ts";
export { DEFAULT_SERVER_LIMITS, type ServerLimits } from "./server/limits.ts";
export { type RunningServer, type ServerOptions, startServer } from "./server/start-server.ts";
export { readTlsFiles, type TlsFiles, type TlsIdentity } from "./server/tls.ts";
