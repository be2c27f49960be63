/** A storage that writes some commits in part: of a move, the flights that arrive are left out now and then. */
import type { CommitRecord, Storage } from "@khonsu/core";
import { LevelStorage } from "@khonsu/storage-level";

const TORN_EVERY = 10;

export async function open(location: string): Promise<Storage> {
  const inner = await LevelStorage.open(location);
  let commits = 0;
  const tear = (record: CommitRecord): CommitRecord => {
    if (commits++ % TORN_EVERY !== 0) return record;
    const isArrival = ({ kind, key }: CommitRecord["mutations"][number]) =>
      kind === "append" && key.startsWith("flights/");
    return { ...record, mutations: record.mutations.filter((mutation) => !isArrival(mutation)) };
  };
  return {
    write: (group) => inner.write(group.map(tear)),
    load: (visit, options) => inner.load(visit, options),
    close: () => inner.close(),
  };
}
