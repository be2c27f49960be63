/** What a node of a cluster whose members come and go is given: who it is, and everything outside. */
import type { ClusterNodeOptions } from "../cluster-node.ts";
import type { ClusterLayout } from "./found.ts";
import type { RecordStore } from "./node-record.ts";

export interface ClusterMemberOptions extends Omit<ClusterNodeOptions, "self" | "placement"> {
  /** Who this node is; its number is from 1 to 2^21 - 1, and nobody else's. */
  readonly self: {
    readonly node: number;
    /** Host and port at which the other nodes reach it. */
    readonly address: string;
    /** What fails together. Default: each node by itself. */
    readonly zone?: string | undefined;
    /** How much it takes relative to others: above 0, at most 1000. Default 1. */
    readonly weight?: number | undefined;
  };
  /** All founders, this node included, the same list on each; undefined for a node that joins a cluster that exists. */
  readonly founders?: readonly number[] | undefined;
  /** Other nodes that may be members; they are asked to be admitted. */
  readonly seeds: readonly number[];
  /** For founders, the same on each. */
  readonly layout?: ClusterLayout | undefined;
  readonly store: RecordStore;
  /** Sends bytes to `memberAsked` of another node and resolves with its answer. */
  readonly askNode: (node: number, question: Uint8Array) => Promise<Uint8Array>;
  /** Where the members are, whenever that changes; those given to the network by the configuration stay. */
  readonly onAddresses?: ((addresses: ReadonlyMap<number, string>) => void) | undefined;
  /** The cluster is known: its id, and the incarnation of this node in it. Before anything is opened. */
  readonly onCluster?: ((clusterId: string, incarnation: number) => void) | undefined;
  /** Closes the replica of a group on this node, if it is open, and deletes its data. Resolves once that is durable. */
  readonly dropConsensus: (group: number) => Promise<void>;
  /** A replica could not be opened or deleted; it will be tried again. */
  readonly onProblem?: ((group: number, error: unknown) => void) | undefined;
  /** How long another node may take to answer, in milliseconds. Default 2,000. */
  readonly answerMs?: number | undefined;
  /** How often another node is asked for news, in milliseconds. Default 200. */
  readonly pollMs?: number | undefined;
  /** How many groups change their replicas at a time. Default 4. */
  readonly movesMax?: number | undefined;
  /** How long the mover waits between two rounds, in milliseconds. Default 100. */
  readonly roundMs?: number | undefined;
}
