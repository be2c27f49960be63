import {
  Binary,
  type DataType,
  Dictionary,
  Field,
  Int8,
  Int32,
  List,
  Map_,
  Schema,
  Struct,
  Timestamp,
  TimeUnit,
  Utf8,
} from "apache-arrow";
import { describe, expect, test } from "vitest";
import { assertSchemaFits, schemasMatch } from "../../src/table/schema.ts";
import { TYPE_CASES } from "./types.ts";

function schema(type: DataType, nullable = true, name = "a"): Schema {
  return new Schema([new Field(name, type, nullable)]);
}

/** A type as text, without what does not count. */
function textOf(type: DataType): string {
  return JSON.stringify(type, (key, value) =>
    key === "id" || key === "metadata" || value === undefined ? null : value,
  );
}

function fits(committed: Schema, incoming: Schema): boolean {
  try {
    assertSchemaFits(committed, incoming, "k");
  } catch (error) {
    expect(error).toMatchObject({ code: "KHONSU_SCHEMA_MISMATCH", retryable: false });
    return false;
  }
  return true;
}

test("of all types, exactly those match that are built alike", () => {
  for (const a of TYPE_CASES) {
    for (const b of TYPE_CASES) {
      const isSame = textOf(a.make()) === textOf(b.make());
      expect(schemasMatch(schema(a.make()), schema(b.make())), `${a.name} and ${b.name}`).toBe(isSame);
      expect(fits(schema(a.make()), schema(b.make())), `${a.name} and ${b.name}`).toBe(isSame);
    }
  }
});

describe("nullability", () => {
  const inner = (nullable: boolean) => new Struct([new Field("x", new Int32(), nullable)]);

  test("a column that cannot be null fits one that can, and not the other way round, at any depth", () => {
    expect(fits(schema(new Int32(), true), schema(new Int32(), false))).toBe(true);
    expect(fits(schema(new Int32(), false), schema(new Int32(), true))).toBe(false);
    expect(fits(schema(inner(true)), schema(inner(false)))).toBe(true);
    expect(fits(schema(inner(false)), schema(inner(true)))).toBe(false);
  });

  test("schemas match only if it is the same", () => {
    expect(schemasMatch(schema(new Int32(), true), schema(new Int32(), false))).toBe(false);
    expect(schemasMatch(schema(inner(false)), schema(inner(true)))).toBe(false);
  });
});

describe("what does not count", () => {
  test("metadata, dictionary ids, and the names of items and entries", () => {
    const withMetadata = new Schema(
      [new Field("a", new Utf8(), true, new Map([["k", "v"]]))],
      new Map([["x", "y"]]),
    );
    expect(schemasMatch(withMetadata, schema(new Utf8()))).toBe(true);
    expect(
      schemasMatch(
        schema(new Dictionary(new Utf8(), new Int8(), 1)),
        schema(new Dictionary(new Utf8(), new Int8(), 2)),
      ),
    ).toBe(true);
    const list = (name: string) => schema(new List(new Field(name, new Int8(), true)));
    expect(schemasMatch(list("item"), list("element"))).toBe(true);
    const map = (name: string) =>
      schema(
        new Map_(
          new Field(
            name,
            new Struct([new Field("key", new Utf8(), false), new Field("value", new Utf8(), true)]),
            false,
          ) as never,
        ),
      );
    expect(schemasMatch(map("entries"), map("key_value"))).toBe(true);
    expect(
      schemasMatch(schema(new Timestamp(TimeUnit.SECOND)), schema(new Timestamp(TimeUnit.SECOND, ""))),
    ).toBe(true);
  });
});

describe("what counts beside types", () => {
  const [a, b] = [new Field("a", new Int32(), true), new Field("b", new Int32(), true)];

  test("number, order and names of columns, and names in a struct", () => {
    expect(fits(new Schema([a, b]), new Schema([b, a]))).toBe(false);
    expect(fits(new Schema([a]), new Schema([a, b]))).toBe(false);
    expect(fits(new Schema([a, b]), new Schema([a]))).toBe(false);
    expect(fits(schema(new Struct([a])), schema(new Struct([b])))).toBe(false);
  });

  test("the error names the key, the first column that differs and both types", () => {
    const committed = new Schema([a, new Field("t", new Timestamp(TimeUnit.SECOND, "UTC"), true)]);
    const incoming = new Schema([a, new Field("t", new Binary(), false)]);
    expect(() => assertSchemaFits(committed, incoming, "flights")).toThrow(
      'Cannot add rows to "flights": column 1 is "t": Timestamp(0, UTC) and the rows have "t": Binary not null',
    );
    expect(() => assertSchemaFits(new Schema([a, b]), new Schema([a]), "k")).toThrow(
      'column 1 is "b": Int(32, true) and the rows have absent',
    );
  });
});
