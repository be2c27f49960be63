/**
 * Reads a backup: entries in order, and at the end the manifest, which must agree with all that came before (BK-2). Without it,
 * or with anything behind it, the backup is not whole.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { known, malformed, toInteger, toKey } from "../codec/wire.ts";
import { type Frame, FrameSchema, type Manifest } from "../gen/khonsu/backup/v1/backup_pb.ts";
import type { BackupManifest } from "./backup-frames.ts";
import { corrupt, digestAfter, readFrames } from "./frames.ts";

export interface BackupEntry {
  readonly key: string;
  /** As `decodeBatches` of `@khonsu/core/values` reads it. */
  readonly value: Uint8Array;
}

/**
 * The entries of a backup, frame by frame; returns its manifest. Whoever stops before the end does not know whether it is whole.
 * @throws ClusterError `KHONSU_BACKUP_CORRUPT`; whatever `source` throws
 */
export async function* readBackup(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly BackupEntry[], BackupManifest, undefined> {
  const counted = { keys: 0, bytes: 0, frames: 0, digest: 0 };
  let manifest: BackupManifest | undefined;
  let last = "";
  for await (const { payload, checksum } of readFrames(source)) {
    if (manifest !== undefined) throw corrupt("something stands behind its manifest");
    const content = contentOf(payload);
    if ((content.case === "head") !== (counted.frames === 0))
      throw corrupt("its head is not its first frame");
    if (content.case === "manifest") {
      manifest = checked(content.value, counted);
      continue;
    }
    counted.frames += 1;
    counted.digest = digestAfter(counted.digest, checksum);
    if (content.case !== "entries") continue;
    const entries = content.value.entries.map(({ key, value }) => ({
      key: toText(key),
      value,
      bytes: key.length + value.length,
    }));
    for (const { key, bytes } of entries) {
      if (key <= last) throw corrupt(`its keys do not rise at ${JSON.stringify(key)}`);
      last = key;
      counted.keys += 1;
      counted.bytes += bytes;
    }
    yield entries;
  }
  if (manifest === undefined) throw corrupt("it ends before its manifest");
  return manifest;
}

function contentOf(payload: Uint8Array): Frame["content"] {
  try {
    const { content } = known(fromBinary(FrameSchema, payload), "a frame");
    if (content.case === undefined) throw malformed("a frame is empty");
    known(content.value, `a frame of ${content.case}`);
    return content;
  } catch (cause) {
    throw corrupt("a frame cannot be understood", cause);
  }
}

function toText(bytes: Uint8Array): string {
  try {
    return toKey(bytes);
  } catch (cause) {
    throw corrupt("a key is none", cause);
  }
}

function checked(
  { snapshot, keys, rows, bytes, frames, digest }: Manifest,
  counted: {
    readonly keys: number;
    readonly bytes: number;
    readonly frames: number;
    readonly digest: number;
  },
): BackupManifest {
  const manifest = {
    snapshot: toInteger(snapshot, "a snapshot"),
    keys: toInteger(keys, "a count"),
    rows: toInteger(rows, "a count"),
    bytes: toInteger(bytes, "a count"),
    frames: toInteger(frames, "a count"),
    digest,
  };
  const agrees =
    manifest.keys === counted.keys &&
    manifest.bytes === counted.bytes &&
    manifest.frames === counted.frames &&
    manifest.digest === counted.digest;
  if (!agrees) throw corrupt("its manifest does not agree with what stands before it");
  return manifest;
}

/**
 * Reads a backup to its end and tells what is in it.
 * @throws ClusterError `KHONSU_BACKUP_CORRUPT`; whatever `source` throws
 */
export async function verifyBackup(source: AsyncIterable<Uint8Array>): Promise<BackupManifest> {
  const reading = readBackup(source);
  for (;;) {
    const { done, value } = await reading.next();
    if (done === true) return value;
  }
}
