/**
 * Messages described once, for both directions: `record` makes a codec from the fields of a type, each with its number. Strict
 * when reading: a field that is not known is an error, since whoever ignores a part of what consensus says forks the log (WIRE-11).
 */
import { type WireReader, WireWriter } from "@khonsu/cluster/wire";
import { malformed } from "./malformed.ts";

export interface Codec<T> {
  write(writer: WireWriter, value: T): void;
  read(reader: WireReader): T;
}

/** One field of a message. */
export interface Field<T> {
  readonly number: number;
  /** What it is when absent; undefined if it must be there. */
  readonly absent: (() => T) | undefined;
  write(writer: WireWriter, value: T): void;
  /** @param before what was read for the field until now, for lists */
  read(reader: WireReader, before: T): T;
}

export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

// Brands (`Slot`, `ReplicaId`) are numbers to a codec.
const zero = <T extends number>(): T => 0 as T;

export function uint<T extends number = number>(number: number): Field<T> {
  return {
    number,
    absent: zero,
    write: (writer, value) => writer.uint(number, value),
    read: (reader) => reader.uint() as T,
  };
}

export function fixed32(number: number): Field<number> {
  return {
    number,
    absent: zero,
    write: (writer, value) => writer.fixed32(number, value),
    read: (reader) => reader.fixed32(),
  };
}

export function fixed64<T extends number = number>(number: number): Field<T> {
  return {
    number,
    absent: zero,
    write: (writer, value) => writer.fixed64(number, value),
    read: (reader) => reader.fixed64() as T,
  };
}

export function bool(number: number): Field<boolean> {
  return {
    number,
    absent: () => false,
    write: (writer, value) => writer.bool(number, value),
    read: (reader) => reader.bool(),
  };
}

export function bytes(number: number): Field<Uint8Array> {
  return {
    number,
    absent: () => new Uint8Array(),
    write: (writer, value) => writer.bytes(number, value),
    read: (reader) => reader.bytes(),
  };
}

/** A nested message; one that is absent is an error. */
export function nested<T>(number: number, codec: Codec<T>): Field<T> {
  return {
    number,
    absent: undefined,
    write: (writer, value) => writeNested(writer, number, codec, value),
    read: (reader) => reader.nested(codec.read),
  };
}

/** A list of nested messages. */
export function list<T>(number: number, codec: Codec<T>): Field<readonly T[]> {
  return {
    number,
    absent: () => [],
    write: (writer, values) => {
      for (const value of values) writeNested(writer, number, codec, value);
    },
    read: (reader, before) => {
      // Made by `absent` above, so it is this message's own.
      (before as T[]).push(reader.nested(codec.read));
      return before;
    },
  };
}

/** A packed list of varints. */
export function uints<T extends number>(number: number): Field<readonly T[]> {
  return {
    number,
    absent: () => [],
    write: (writer, values) => {
      if (values.length === 0) return;
      const start = writer.begin(number);
      for (const value of values) writer.uintItem(value);
      writer.end(start);
    },
    read: (reader, before) => {
      reader.uints(before as unknown as number[]);
      return before;
    },
  };
}

/** A packed list of fixed 64-bit integers. */
export function fixed64s<T extends number>(number: number): Field<readonly T[]> {
  return {
    number,
    absent: () => [],
    write: (writer, values) => {
      if (values.length === 0) return;
      const start = writer.begin(number);
      for (const value of values) writer.fixed64Item(value);
      writer.end(start);
    },
    read: (reader, before) => {
      reader.fixed64s(before as unknown as number[]);
      return before;
    },
  };
}

export function writeNested<T>(writer: WireWriter, number: number, codec: Codec<T>, value: T): void {
  const start = writer.begin(number);
  codec.write(writer, value);
  writer.end(start);
}

/** @param name of the message, for errors */
export function record<T extends object>(name: string, fields: Fields<T>): Codec<T> {
  const keys = (Object.keys(fields) as (keyof T & string)[]).sort(
    (a, b) => fields[a].number - fields[b].number,
  );
  const keyOf = new Map(keys.map((key) => [fields[key].number, key]));
  return {
    write: (writer, value) => {
      for (const key of keys) fields[key].write(writer, value[key]);
    },
    read: (reader) => {
      const value: Partial<T> = {};
      for (const key of keys) value[key] = fields[key].absent?.();
      for (let number = reader.field(); number !== 0; number = reader.field()) {
        const key = keyOf.get(number);
        if (key === undefined)
          throw malformed(`${name} has field ${number}, which this version does not know`);
        value[key] = fields[key].read(reader, value[key] as T[typeof key]);
      }
      for (const key of keys) if (value[key] === undefined) throw malformed(`${name} has no ${key}`);
      return value as T;
    },
  };
}

export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new WireWriter();
  codec.write(writer, value);
  return writer.finish();
}
