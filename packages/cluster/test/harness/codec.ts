/** A codec for tests: what the process itself offers to copy a value. */
import { deserialize, serialize } from "node:v8";
import type { CommitTimestamp } from "@khonsu/core";
import type { Command } from "../../src/shard/command.ts";
import { ShardValue } from "../../src/shard/shard-value.ts";
import type { ShardCheckpoint } from "../../src/shard/state-machine.ts";
import type { ShardCodec } from "../../src/shard-log.ts";

export const testCodec: ShardCodec = {
  encodeCommand: (command) => serialize(command),
  decodeCommand: (bytes) => deserialize(bytes) as Command,
  encodeCheckpoint: (checkpoint) => {
    const entries = checkpoint.entries.map(({ value, ...rest }) => ({
      ...rest,
      value: value?.chunks(),
    }));
    return serialize({ ...checkpoint, entries });
  },
  decodeCheckpoint: (bytes) => {
    const { entries, ...rest } = deserialize(bytes) as Omit<ShardCheckpoint, "entries"> & {
      entries: { key: string; timestamp: CommitTimestamp; value: Uint8Array[] | undefined }[];
    };
    const restored = entries.map(({ value, ...entry }) => ({
      ...entry,
      value: value && ShardValue.ofChunks(value),
    }));
    return { ...rest, entries: restored };
  },
};
