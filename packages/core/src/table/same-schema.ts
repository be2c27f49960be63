/**
 * Whether two schemas encode to the same bytes, told without encoding them: each batch has a schema object of its own in apache-arrow, and
 * encoding one costs as much as encoding a small batch. Where this does not know better it says no, which costs an encoding.
 */
import type { DataType, Field, Schema } from "apache-arrow";

/** True only if names, nullability, types in every detail, and metadata are the same, in the same order. */
export function sameSchema(a: Schema, b: Schema): boolean {
  return a === b || (sameFields(a.fields, b.fields) && sameMetadata(a.metadata, b.metadata));
}

function sameFields(a: readonly Field[], b: readonly Field[]): boolean {
  return a === b || (a.length === b.length && a.every((field, index) => sameField(field, b[index]!)));
}

function sameField(a: Field, b: Field): boolean {
  return (
    a === b ||
    (a.name === b.name &&
      a.nullable === b.nullable &&
      sameType(a.type, b.type) &&
      sameMetadata(a.metadata, b.metadata))
  );
}

/** Types keep what distinguishes them in properties of their own: numbers, strings, flags, children, the ids of a union. */
function sameType(a: DataType, b: DataType): boolean {
  if (a === b) return true;
  if (a.typeId !== b.typeId) return false;
  const ours = Object.entries(a);
  const theirs = new Map<string, unknown>(Object.entries(b));
  return (
    ours.length === theirs.size && ours.every(([name, value]) => sameProperty(name, value, theirs.get(name)))
  );
}

function sameProperty(name: string, a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (name === "children" && Array.isArray(a) && Array.isArray(b)) return sameFields(a, b);
  return false;
}

function sameMetadata(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): boolean {
  if (a.size !== b.size) return false;
  if (a.size === 0) return true;
  const theirs = [...b];
  return [...a].every(([name, value], index) => name === theirs[index]![0] && value === theirs[index]![1]);
}
