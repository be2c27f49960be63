/**
 * Reading flatbuffers without believing them: every position is looked at before it is used, and no table is visited more often
 * than tables fit into the bytes, so that neither a loop nor a table that hangs in many places takes time or memory. The
 * generated readers of apache-arrow do none of this: beyond the end they read zeros, as many as a length says.
 * Source: the FlatBuffers binary format, "Internals".
 */

/** A table: where it is, and where its fields are. */
export interface Table {
  readonly at: number;
  readonly size: number;
  readonly vtable: number;
  readonly vtableSize: number;
}

export interface Vector {
  readonly at: number;
  readonly length: number;
}

/** The bytes are no flatbuffer of the schema expected. */
export class FlatBufferError extends Error {
  override readonly name = "FlatBufferError";
}

export class FlatBuffer {
  readonly #view: DataView;
  readonly #length: number;
  #visits: number;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#length = bytes.byteLength;
    this.#visits = bytes.byteLength >>> 1;
  }

  root(): Table {
    return this.#table(this.#uint32(0));
  }

  /** The table that field `index` refers to. */
  child(table: Table, index: number): Table | undefined {
    const at = this.#fieldAt(table, index, 4);
    return at === undefined ? undefined : this.#table(at + this.#uint32(at));
  }

  /** The vector of field `index`, whose elements have `size` bytes each. */
  vector(table: Table, index: number, size: number): Vector | undefined {
    const field = this.#fieldAt(table, index, 4);
    if (field === undefined) return undefined;
    const at = field + this.#uint32(field);
    const length = this.#uint32(at);
    if (length * size > this.#length - at - 4)
      throw new FlatBufferError(`a vector of ${length} is beyond the end`);
    return { at: at + 4, length };
  }

  /** The tables in the vector of field `index`. */
  children(table: Table, index: number): Table[] {
    const vector = this.vector(table, index, 4);
    if (vector === undefined) return [];
    return Array.from({ length: vector.length }, (_, i) => {
      const at = vector.at + 4 * i;
      return this.#table(at + this.#uint32(at));
    });
  }

  /** Where the `bytes` bytes of field `index` stand; undefined where it is absent. */
  placeOf(table: Table, index: number, bytes: number): number | undefined {
    return this.#fieldAt(table, index, bytes);
  }

  /** 0 where the field is absent. */
  uint8(table: Table, index: number): number {
    const at = this.#fieldAt(table, index, 1);
    return at === undefined ? 0 : this.#view.getUint8(at);
  }

  /** 0 where the field is absent. */
  int64(table: Table, index: number): number {
    const at = this.#fieldAt(table, index, 8);
    return at === undefined ? 0 : this.int64At(at);
  }

  /** A whole number of 64 bits, which has to be a safe one of 0 or more. */
  int64At(at: number): number {
    const value = this.#view.getBigInt64(at, true);
    if (value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER))
      throw new FlatBufferError(`${value} is no size`);
    return Number(value);
  }

  /** Whether the 64 bits are those of -1. */
  isAllOnes(at: number): boolean {
    return this.#view.getBigInt64(at, true) === -1n;
  }

  #table(at: number): Table {
    if (this.#visits-- <= 0) throw new FlatBufferError("tables hang in too many places");
    const vtable = at - this.#int32(at);
    if (vtable < 0 || vtable + 4 > this.#length) throw new FlatBufferError("a table has no field offsets");
    const vtableSize = this.#view.getUint16(vtable, true);
    const size = this.#view.getUint16(vtable + 2, true);
    if (
      vtableSize < 4 ||
      vtableSize % 2 !== 0 ||
      vtable + vtableSize > this.#length ||
      at + size > this.#length
    ) {
      throw new FlatBufferError("a table is beyond the end");
    }
    return { at, size, vtable, vtableSize };
  }

  #fieldAt({ at, size, vtable, vtableSize }: Table, index: number, bytes: number): number | undefined {
    const entry = 4 + 2 * index;
    if (entry + 2 > vtableSize) return undefined;
    const offset = this.#view.getUint16(vtable + entry, true);
    if (offset === 0) return undefined;
    if (offset < 4 || offset + bytes > size) throw new FlatBufferError("a field is outside of its table");
    return at + offset;
  }

  #uint32(at: number): number {
    if (at + 4 > this.#length) throw new FlatBufferError("an offset is beyond the end");
    return this.#view.getUint32(at, true);
  }

  #int32(at: number): number {
    if (at < 0 || at + 4 > this.#length) throw new FlatBufferError("an offset is beyond the end");
    return this.#view.getInt32(at, true);
  }
}
