/**
 * The schemas of the database, each stored once under a number (SF-4). A schema that no segment refers to any more goes
 * with the group that removed the last reference, so that there is a schema record exactly for each schema in use.
 */
import { sameSchema } from "@khonsu/core/values";
import type { Schema } from "apache-arrow";
import { encodeSchema } from "./arrow-messages.ts";
import { schemaKey } from "./key-codec.ts";
import { encodeSchemaRecord, seal } from "./record.ts";
import type { Totals } from "./totals.ts";
import type { WriteBatch } from "./write-batch.ts";

interface StoredSchema {
  readonly id: number;
  readonly message: Uint8Array;
  readonly checksum: number;
  readonly bytes: number;
  references: number;
  /** A schema that encodes to the message; undefined until one has come. */
  known?: Schema;
}

/** How many schemas a new batch's schema is compared with before it is encoded. */
const RECENT_MAX = 8;

export class SchemaTable {
  readonly #byId = new Map<number, StoredSchema>();
  readonly #byMessage = new Map<string, StoredSchema>();
  /** Without references since the last `sweep`. */
  readonly #unused = new Set<StoredSchema>();
  readonly #totals: Totals;
  /** Used last, the latest first. */
  #recent: StoredSchema[] = [];
  #lastId = 0;

  constructor(totals: Totals) {
    this.#totals = totals;
  }

  /** Takes up a schema record that is in the database. */
  restore(id: number, message: Uint8Array, checksum: number, bytes: number): void {
    this.#insert({ id, message, checksum, bytes, references: 0 });
  }

  /** The schema message of `id`; undefined where there is no such record. */
  message(id: number): Uint8Array | undefined {
    return this.#byId.get(id)?.message;
  }

  /** The ids of schemas that nothing refers to. */
  unreferenced(): number[] {
    return [...this.#byId.values()].filter((schema) => schema.references === 0).map((schema) => schema.id);
  }

  /** The number of `schema`, whose record is written with `batch` if it is new. */
  idOf(schema: Schema, batch: WriteBatch): number {
    if (this.#recent[0]?.known === schema) return this.#recent[0].id;
    const at = this.#recent.findIndex(({ known }) => sameSchema(known!, schema));
    if (at === 0) return this.#recent[0]!.id;
    const found = at > 0 ? this.#recent.splice(at, 1)[0]! : this.#find(schema, batch);
    this.#recent.unshift(found);
    this.#recent.length = Math.min(this.#recent.length, RECENT_MAX);
    return found.id;
  }

  /** A segment refers to the schema. */
  retain(id: number): void {
    const schema = this.#byId.get(id)!;
    schema.references++;
    this.#unused.delete(schema);
  }

  /** A segment that referred to the schema is gone. */
  release(id: number): void {
    const schema = this.#byId.get(id)!;
    schema.references--;
    if (schema.references === 0) this.#unused.add(schema);
  }

  /** Deletes with `batch` the schemas that lost their last reference. */
  sweep(batch: WriteBatch): void {
    if (this.#unused.size > 0) this.#recent = this.#recent.filter((schema) => !this.#unused.has(schema));
    for (const schema of this.#unused) {
      this.#byId.delete(schema.id);
      this.#byMessage.delete(nameOf(schema.message));
      this.#totals.remove(schema.checksum, schema.bytes);
      batch.delete(schemaKey(schema.id));
    }
    this.#unused.clear();
  }

  #find(schema: Schema, batch: WriteBatch): StoredSchema {
    const message = encodeSchema(schema);
    const found = this.#byMessage.get(nameOf(message)) ?? this.#create(message, batch);
    found.known = schema;
    return found;
  }

  #create(message: Uint8Array, batch: WriteBatch): StoredSchema {
    const id = this.#lastId + 1;
    const key = schemaKey(id);
    const value = encodeSchemaRecord(message);
    const checksum = seal(key, value);
    const schema: StoredSchema = { id, message, checksum, bytes: value.byteLength, references: 0 };
    this.#insert(schema);
    batch.put(key, value);
    return schema;
  }

  #insert(schema: StoredSchema): void {
    this.#byId.set(schema.id, schema);
    this.#byMessage.set(nameOf(schema.message), schema);
    this.#totals.add(schema.checksum, schema.bytes);
    this.#lastId = Math.max(this.#lastId, schema.id);
  }
}

function nameOf(message: Uint8Array): string {
  return Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString("latin1");
}
