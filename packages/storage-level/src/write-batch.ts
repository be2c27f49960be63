/** The changes of one group, in the order in which LevelDB applies them, all or none. */

export type Operation =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: Uint8Array };

export class WriteBatch {
  readonly operations: Operation[] = [];

  put(key: Uint8Array, value: Uint8Array): void {
    this.operations.push({ type: "put", key, value });
  }

  delete(key: Uint8Array): void {
    this.operations.push({ type: "del", key });
  }
}
