/** Keys and their rows as the bytes of a backup, which say themselves whether they are whole (BK-2). */
import { create, toBinary } from "@bufbuild/protobuf";
import { encodeBatches } from "@khonsu/core/values";
import type { RecordBatch } from "apache-arrow";
import { fromText } from "../codec/wire.ts";
import {
  EntriesSchema,
  type Entry,
  EntrySchema,
  type Frame,
  FrameSchema,
  HeadSchema,
  ManifestSchema,
} from "../gen/khonsu/backup/v1/backup_pb.ts";
import { digestAfter, preamble, seal } from "./frames.ts";

/** How far a backup, or a restore, is. */
export interface BackupProgress {
  readonly keys: number;
  /** Of keys and values. */
  readonly bytes: number;
}

/** What stands at the end of a backup. */
export interface BackupManifest extends BackupProgress {
  /** All keys are as they were at this timestamp; 0 if it is not known. */
  readonly snapshot: number;
  readonly rows: number;
  readonly frames: number;
  /** Made of the checksums of all frames. */
  readonly digest: number;
}

export interface BackupOptions {
  /** The name of the cluster, for people who find the backup. Default: none. */
  readonly source?: string | undefined;
  /** Milliseconds since 1970, for the same people. Default: 0. */
  readonly madeAtMs?: number | undefined;
  /** Bytes of keys and values after which a frame is written. From 1. Default 1 MiB. */
  readonly frameBytes?: number | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
  /** The timestamp of the entries; asked for once they are at their end. Default: not known. */
  readonly snapshot?: (() => number) | undefined;
}

/**
 * The bytes of a backup of `entries`, piece by piece; returns its manifest.
 *
 * @param entries keys in the order of UTF-16 code units, each once, with all their rows
 * @throws whatever `entries` throws; KhonsuError `KHONSU_UNSUPPORTED_TYPE`
 */
export async function* backupFrames(
  entries: AsyncIterable<readonly [string, RecordBatch]>,
  options: BackupOptions = {},
): AsyncGenerator<Uint8Array, BackupManifest, undefined> {
  const { source = "", madeAtMs = 0, frameBytes = 2 ** 20, onProgress, snapshot = () => 0 } = options;
  const sealer = new Sealer();
  const total = { keys: 0, rows: 0, bytes: 0 };
  let pending: Entry[] = [];
  let pendingBytes = 0;
  yield preamble();
  yield sealer.seal({
    case: "head",
    value: create(HeadSchema, { source, madeAtMs: BigInt(Math.floor(madeAtMs)) }),
  });
  const flush = () => {
    const frame = sealer.seal({ case: "entries", value: create(EntriesSchema, { entries: pending }) });
    pending = [];
    pendingBytes = 0;
    return frame;
  };
  for await (const [key, batch] of entries) {
    const entry = create(EntrySchema, { key: fromText(key), value: encodeBatches([batch]) });
    const bytes = entry.key.length + entry.value.length;
    pending.push(entry);
    pendingBytes += bytes;
    total.keys += 1;
    total.rows += batch.numRows;
    total.bytes += bytes;
    if (pendingBytes < frameBytes) continue;
    yield flush();
    onProgress?.({ keys: total.keys, bytes: total.bytes });
  }
  if (pending.length > 0) yield flush();
  onProgress?.({ keys: total.keys, bytes: total.bytes });
  const manifest = { ...total, snapshot: snapshot(), frames: sealer.frames, digest: sealer.digest };
  yield sealer.seal({ case: "manifest", value: toMessage(manifest) });
  return manifest;
}

function toMessage({ snapshot, keys, rows, bytes, frames, digest }: BackupManifest) {
  return create(ManifestSchema, {
    snapshot: BigInt(snapshot),
    keys: BigInt(keys),
    rows: BigInt(rows),
    bytes: BigInt(bytes),
    frames: BigInt(frames),
    digest,
  });
}

/** Numbers the frames, and makes the digest of all. */
class Sealer {
  frames = 0;
  digest = 0;

  seal(content: Frame["content"]): Uint8Array {
    const { frame, checksum } = seal(toBinary(FrameSchema, create(FrameSchema, { content })), this.frames);
    this.frames += 1;
    this.digest = digestAfter(this.digest, checksum);
    return frame;
  }
}
