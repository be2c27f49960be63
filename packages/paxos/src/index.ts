// for implementers of a storage or of a driver
export type {
  AcceptorStorage,
  Recovered,
  RecoveredEntry,
  StagedImage,
  WriteBatch,
} from "./acceptor-storage.ts";
export type { Ballot } from "./ballot.ts";
export { compareBallots, formatBallot, maxBallot, sameBallot, ZERO_BALLOT } from "./ballot.ts";
export type { Checkpoint } from "./checkpoint.ts";
export { chainAfter, crc32c, entryChecksum, isIntact, type UnsealedEntry } from "./checksum.ts";
export type { Configuration, Learner, MembershipChange, QuorumSizes } from "./configuration.ts";
export { Driver, type DriverOptions } from "./driver/driver.ts";
export type { DriverClock, DriverTransport, StateMachine } from "./driver/interfaces.ts";
export { foundingConfiguration, LogAdmin, type LogMembership, type LogReplica } from "./driver/log-admin.ts";
export {
  ReplicatedLog,
  type ReplicatedLogOptions,
  type ReplicatedLogStatus,
} from "./driver/replicated-log.ts";
export { type Outcome, RefusedError } from "./driver/waiting.ts";
export type { DurableRecord, DurableRecordKind } from "./durable-record.ts";
export type { Effect, EffectKind, EffectOf, PersistEffect, WriteId } from "./effect.ts";
export type {
  CommandEntry,
  DecidedEntry,
  DuplicateEntry,
  Entry,
  MembershipEntry,
  NoOpEntry,
  Proposal,
  ProposalId,
} from "./entry.ts";
export { invariant, PaxosError, type PaxosErrorCode, type Refusal, type RefusalCode } from "./errors.ts";
export type { Input, InputKind, InputOf } from "./input.ts";
export type { AcceptedEntry, Envelope, Message, MessageKind, MessageOf, Standing } from "./message.ts";
export {
  DEFAULT_LIMITS,
  type LeaseOptions,
  type ReplicaLimits,
  type ReplicaOptions,
  type StartMode,
} from "./options.ts";
export {
  acceptQuorumSize,
  consecutiveQuorumsMeet,
  isAcceptQuorum,
  isPrepareQuorum,
  prepareQuorumSize,
  quorumsMeet,
} from "./quorum.ts";
export { type DamagedRecord, EMPTY_DISK, recover, type StoredRecord } from "./recovery.ts";
export { Replica } from "./replica.ts";
export {
  compareReplicas,
  formatReplica,
  incarnationOf,
  type NodeId,
  nodeId,
  nodeOf,
  type ReplicaId,
  replicaId,
} from "./replica-id.ts";
export { NO_SLOT, type Slot, slot } from "./slot.ts";
export type { BriefStatus, Role, Status } from "./status.ts";
