/** What the suites for storage need of the implementation under test and of the test runner. */
import type { Storage } from "@khonsu/core";

/** The thing that outlives a storage: a directory, a database, an object in memory. It starts empty. */
export interface StorageMedium {
  /** A storage on the medium as the last one left it. Called only while none is open. */
  open(): Promise<Storage> | Storage;
  /**
   * Makes the medium what a crash of the process at this moment leaves, whatever the open storage is doing, and without
   * closing that storage, which is not used afterwards. `open` follows.
   */
  crash?(): Promise<void> | void;
  /** Gives back what the medium holds. Called once, at the end. */
  dispose?(): Promise<void> | void;
}

/** Cases that an implementation cannot run. Each is true unless it says otherwise; there is no other way to skip. */
export interface StorageSupports {
  /** `load` gives back what was written, also after closing and opening the medium. */
  readonly load?: boolean;
  /** The medium has `crash`. */
  readonly crash?: boolean;
}

export interface StorageSuiteOptions {
  /** The test function of any runner: `test` of vitest, of `node:test`, or another. */
  readonly test: (name: string, body: () => Promise<void>) => void;
  /** A new, empty medium. */
  readonly factory: () => Promise<StorageMedium> | StorageMedium;
  readonly supports?: StorageSupports;
}

/** Runs `body` with a new medium, and disposes of it. */
export async function withMedium(
  options: StorageSuiteOptions,
  body: (medium: StorageMedium) => Promise<void>,
): Promise<void> {
  const medium = await options.factory();
  try {
    await body(medium);
  } finally {
    await medium.dispose?.();
  }
}
