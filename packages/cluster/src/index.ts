// The runtime: nodes, and sessions of their clients.

export type { ClusterTransactOptions } from "./attempts.ts";
// Backup and restore of a whole cluster.
export { type BackupSink, backup } from "./backup/backup.ts";
export {
  type BackupManifest,
  type BackupOptions,
  type BackupProgress,
  backupFrames,
} from "./backup/backup-frames.ts";
export { type BackupEntry, readBackup, verifyBackup } from "./backup/read-backup.ts";
export { type RestoreOptions, restore } from "./backup/restore.ts";
export { ClusterNode, type ClusterNodeOptions } from "./cluster-node.ts";
export { ClusterSession } from "./cluster-session.ts";
export type { Consistency } from "./cluster-state.ts";
export { ClusterTransaction } from "./cluster-transaction.ts";
export {
  type ClusterChange,
  type ClusterCommitEvent,
  ClusterWatch,
  type ClusterWatchOptions,
  type WatchPosition,
} from "./cluster-watch.ts";
// Entries and checkpoints of a shard as bytes.
export { decodeCheckpoint, encodeCheckpoint } from "./codec/checkpoint-codec.ts";
export { assertAddressed, decodeCommand, encodeCommand } from "./codec/command-codec.ts";
// Requests to shards and coordinators, and their answers, as bytes, for transports.
export {
  type CoordinatorRequest,
  decodeCommitResult,
  decodeCoordinatorRequest,
  encodeCommitResult,
  encodeCoordinatorRequest,
} from "./codec/coordinator-codec.ts";
export {
  decodeShardAnswer,
  decodeShardRequest,
  encodeShardAnswer,
  encodeShardRequest,
} from "./codec/request-codec.ts";
// For implementers of consensus, transport and placement.
export type {
  Consensus,
  ConsensusStatus,
  GroupAdmin,
  GroupMembership,
  LogApplication,
  OpenConsensus,
  ReplicaStart,
  StartMode,
} from "./consensus.ts";
export type { CommitResult } from "./coordinator-driver.ts";
// Clusters whose nodes come and go.
export { ClusterMember } from "./directory/cluster-member.ts";
export type { ClusterMemberOptions } from "./directory/cluster-member-options.ts";
export type { Admission, DirectoryCommand, DirectoryRefusalCode } from "./directory/command.ts";
export { Directory } from "./directory/directory.ts";
export { DirectoryPlacement } from "./directory/directory-placement.ts";
export type { ClusterLayout } from "./directory/found.ts";
export type { RecordStore } from "./directory/node-record.ts";
export {
  DIRECTORY_GROUP,
  type DirectoryState,
  type GroupMove,
  type GroupRecord,
  type Member,
  type MemberState,
  type ReplicaIdentity,
} from "./directory/state.ts";
// The shard: a deterministic state machine over a log.
export { ClusterError, type ClusterErrorCode, type ClusterErrorOptions } from "./errors.ts";
export { DEFAULT_RETENTION, type Retention } from "./floor-keeper.ts";
export { HybridClock, MAX_AHEAD_DEFAULT_MS } from "./hybrid-clock.ts";
export { KeyMap, type KeyMapOptions } from "./key-map.ts";
export {
  type Answer,
  type CommitRequest,
  type ReadTime,
  type ShardAnswer,
  type ShardRequest,
  WATCH_PATIENCE_MS,
} from "./messages.ts";
export type { KeyPlacement, Placement } from "./placement.ts";
export type { ClusterSessionOptions, ClusterTransactionOptions } from "./session-host.ts";
export type { Certified, Install } from "./shard/certify.ts";
export type { Command, ShardRecord } from "./shard/command.ts";
export type { HomeAnswer } from "./shard/in-the-way.ts";
export {
  newestIdentities,
  type RangeRequest,
  type RangeResult,
  type ReadEntry,
  type ReadRequest,
  type ReadResult,
  readAt,
  readNewest,
} from "./shard/read.ts";
export type { Refusal } from "./shard/refusal.ts";
export { ShardValue } from "./shard/shard-value.ts";
export { stateHash } from "./shard/state-hash.ts";
export {
  type Applied,
  type CheckpointEntry,
  type Prepared,
  type ResolvedConflicts,
  type ShardCheckpoint,
  ShardStateMachine,
  type ShardStatus,
} from "./shard/state-machine.ts";
export {
  type Commitment,
  MERGE_VERSION,
  type MergeBy,
  type MergeStep,
  mergeCommitments,
  type NamedResolution,
  type Operation,
  type PointRead,
  type ShardTransaction,
  type VersionIdentity,
  type Write,
} from "./shard/transaction.ts";
export { type Validation, type ValidationResult, validate } from "./shard/validate.ts";
export type { CommitCoordinator, ShardAccess } from "./shard-access.ts";
export { ShardMapPlacement, type ShardMapPlacementOptions } from "./shard-map-placement.ts";
export { DEFAULT_PATIENCE, type Patience } from "./shard-replica.ts";
export type { Serve, Transport } from "./transport.ts";
export { TurnBoard } from "./turn-board.ts";
export { TURN_KEYS_MAX, type TurnCounters, type TurnRequest, Turns } from "./turns.ts";
