/**
 * What a node remembers of itself, whatever else is on its disk: who it is, which cluster it belongs to, and which replicas it has.
 * The nonce names one life of the disk: a node that comes back without it comes back without its promises, and must not be taken for
 * its former self (PL-9, hard case 12). The record is written before a replica is opened and after its data is deleted.
 */
import { fromJson, toJson } from "@bufbuild/protobuf";
import { xxHash32 } from "@khonsu/core/values";
import { ClusterError } from "../errors.ts";
import { StateSchema } from "../gen/khonsu/directory/v1/directory_pb.ts";
import { fromState, toState } from "./codec.ts";
import type { DirectoryState } from "./state.ts";

/** Keeps one small text. */
export interface RecordStore {
  /** Undefined if nothing was ever saved. */
  load(): Promise<string | undefined>;
  /** Replaces the text. Resolves once the new one would survive a loss of power; after a crash it is the old or the new. */
  save(text: string): Promise<void>;
}

export interface OpenedReplica {
  readonly group: number;
  readonly incarnation: number;
  /** Whether it was opened with its group, as one of the first voters. */
  readonly isFounder: boolean;
  /** Whether it has been opened once, so that its data must be there. */
  readonly isOpened: boolean;
}

export interface NodeRecord {
  readonly node: number;
  /** 1 to 64 characters, drawn at random when the record is made. */
  readonly nonce: string;
  /** Undefined: belongs to no cluster yet. */
  readonly cluster: { readonly clusterId: string; readonly incarnation: number } | undefined;
  /** For a founder: the state in which the cluster began. */
  readonly founding: DirectoryState | undefined;
  readonly replicas: readonly OpenedReplica[];
  /** The version of the directory that `replicas` follows. An older one has nothing to say about them. */
  readonly version: number;
  /** Where other nodes were last known to be. */
  readonly addresses: Readonly<Record<string, string>>;
}

/** The record as it is written. The checksum covers all that stands before it. */
type Written = Omit<NodeRecord, "founding"> & {
  readonly format: number;
  readonly founding?: Parameters<typeof fromJson>[1];
  readonly checksum: number;
};

const FORMAT = 1;
const encoder = new TextEncoder();

export function encodeRecord({ founding, ...record }: NodeRecord): string {
  const contents = {
    format: FORMAT,
    ...record,
    ...(founding === undefined ? {} : { founding: toJson(StateSchema, fromState(founding)) }),
  };
  const checksum = xxHash32(encoder.encode(JSON.stringify(contents)), 0) >>> 0;
  return `${JSON.stringify({ ...contents, checksum }, undefined, 2)}\n`;
}

/** @throws ClusterError `KHONSU_IDENTITY_CORRUPT` */
export function decodeRecord(text: string): NodeRecord {
  try {
    const { checksum, ...contents } = JSON.parse(text) as Written;
    const expected = xxHash32(encoder.encode(JSON.stringify(contents)), 0) >>> 0;
    if (checksum !== expected) throw new Error("its checksum does not hold");
    if (contents.format !== FORMAT) throw new Error(`its format is ${contents.format}`);
    const { founding, node, nonce, cluster, replicas, version, addresses } = contents;
    return {
      node,
      nonce,
      cluster,
      founding: founding === undefined ? undefined : toState(fromJson(StateSchema, founding)),
      replicas,
      version,
      addresses,
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterError("KHONSU_IDENTITY_CORRUPT", `Cannot read who this node is: ${why}`, { cause });
  }
}

/** The record of a running node: changes are saved one after another, in order. */
export class NodeRecordKeeper {
  readonly #store: RecordStore;
  #record: NodeRecord;
  #durable: NodeRecord;
  #saving: Promise<void> = Promise.resolve();

  private constructor(store: RecordStore, record: NodeRecord) {
    this.#store = store;
    this.#record = record;
    this.#durable = record;
  }

  /**
   * Reads the record, or makes a new one for an empty disk.
   * @param drawNonce 1 to 64 characters that no disk ever had.
   * @throws ClusterError `KHONSU_IDENTITY_CORRUPT`, or `KHONSU_IDENTITY_MISMATCH` if the disk is another node's.
   */
  static async open(store: RecordStore, node: number, drawNonce: () => string): Promise<NodeRecordKeeper> {
    const text = await store.load();
    if (text !== undefined) {
      const record = decodeRecord(text);
      if (record.node === node) return new NodeRecordKeeper(store, record);
      throw new ClusterError(
        "KHONSU_IDENTITY_MISMATCH",
        `Cannot start node ${node}: the disk belongs to node ${record.node}`,
      );
    }
    const fresh = {
      node,
      nonce: drawNonce(),
      cluster: undefined,
      founding: undefined,
      replicas: [],
      version: 0,
      addresses: {},
    };
    const keeper = new NodeRecordKeeper(store, fresh);
    await keeper.change((record) => record);
    return keeper;
  }

  get current(): NodeRecord {
    return this.#record;
  }

  /** The record as it would be read after a crash: others may be told of this. */
  get durable(): NodeRecord {
    return this.#durable;
  }

  /** Resolves once the record is durable as `change` makes it. */
  change(change: (record: NodeRecord) => NodeRecord): Promise<void> {
    const record = change(this.#record);
    this.#record = record;
    this.#saving = this.#saving.catch(() => {}).then(() => this.#save(record));
    return this.#saving;
  }

  async #save(record: NodeRecord): Promise<void> {
    await this.#store.save(encodeRecord(record));
    this.#durable = record;
  }
}
