/**
 * Arrow types and schemas as text, named as pyarrow names them: `id: int64, at: timestamp[us, UTC], tags: list<utf8> not null`.
 * What is written is read back as the same type; intervals, unions and views are written only.
 */
import {
  Binary,
  Bool,
  DataType,
  type Date_,
  DateDay,
  DateMillisecond,
  type DateUnit,
  Decimal,
  Dictionary,
  Duration,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int8,
  Int16,
  Int32,
  Int64,
  LargeBinary,
  LargeUtf8,
  List,
  Map_,
  Null,
  Schema,
  Struct,
  Time,
  Timestamp,
  TimeUnit,
  Type,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
} from "apache-arrow";
import { FileError } from "./file-error.ts";

const SIMPLE: Readonly<Record<string, () => DataType>> = {
  null: () => new Null(),
  bool: () => new Bool(),
  int8: () => new Int8(),
  int16: () => new Int16(),
  int32: () => new Int32(),
  int64: () => new Int64(),
  uint8: () => new Uint8(),
  uint16: () => new Uint16(),
  uint32: () => new Uint32(),
  uint64: () => new Uint64(),
  float16: () => new Float16(),
  float32: () => new Float32(),
  float64: () => new Float64(),
  utf8: () => new Utf8(),
  large_utf8: () => new LargeUtf8(),
  binary: () => new Binary(),
  large_binary: () => new LargeBinary(),
  date32: () => new DateDay(),
  date64: () => new DateMillisecond(),
};
const ALIASES: Readonly<Record<string, string>> = {
  string: "utf8",
  boolean: "bool",
  int: "int64",
  float: "float64",
  double: "float64",
  date: "date32",
};
const UNITS: Readonly<Record<string, TimeUnit>> = {
  s: TimeUnit.SECOND,
  ms: TimeUnit.MILLISECOND,
  us: TimeUnit.MICROSECOND,
  ns: TimeUnit.NANOSECOND,
};
/** Punctuation; a name in quotation marks; a bare word, which for zones has signs and slashes in it. */
const TOKEN = /\s*(?:([:,<>()[\]])|("(?:[^"\\]|\\.)*")|([^\s:,<>()[\]"]+))/y;

/** @throws FileError `KHONSU_SCHEMA_INVALID` */
export function parseSchema(text: string): Schema {
  const parser = new Parser(text);
  const fields = parser.fields();
  parser.expectEnd();
  const names = new Set<string>();
  for (const { name } of fields) {
    if (names.has(name)) throw invalid(text, `two columns are named ${JSON.stringify(name)}`);
    names.add(name);
  }
  return new Schema(fields);
}

export function schemaText({ fields }: Schema): string {
  return fields.map(fieldText).join(", ");
}

export function typeText(type: DataType): string {
  const unit = () => Object.keys(UNITS).find((name) => UNITS[name] === (type as Time).unit);
  if (DataType.isTimestamp(type))
    return `timestamp[${unit()}${type.timezone ? `, ${quoted(type.timezone)}` : ""}]`;
  if (DataType.isTime(type)) return `time[${unit()}]`;
  if (DataType.isDuration(type)) return `duration[${unit()}]`;
  if (DataType.isDecimal(type)) return `decimal${sizeOf(type)}(${type.precision}, ${type.scale})`;
  if (DataType.isDate(type)) return (type as Date_<Type.Date>).unit === (0 as DateUnit) ? "date32" : "date64";
  if (DataType.isFixedSizeBinary(type)) return `fixed_size_binary(${type.byteWidth})`;
  if (DataType.isList(type)) return `list<${typeText(type.valueType)}>`;
  if (type.typeId === Type.LargeList)
    return `large_list<${typeText((type.children as readonly Field[])[0]!.type)}>`;
  if (DataType.isFixedSizeList(type)) return `fixed_size_list<${typeText(type.valueType)}>(${type.listSize})`;
  if (DataType.isStruct(type)) return `struct<${type.children.map(fieldText).join(", ")}>`;
  if (DataType.isMap(type)) return `map<${typeText(type.keyType)}, ${typeText(type.valueType)}>`;
  if (DataType.isDictionary(type)) return `dictionary<${typeText(type.dictionary)}>`;
  if (DataType.isUnion(type)) return `union<${type.children.map(fieldText).join(", ")}>`;
  return String(type)
    .toLowerCase()
    .replace(/^large(?!_)/, "large_");
}

function sizeOf({ bitWidth }: Decimal): string {
  return bitWidth === 128 ? "" : String(bitWidth);
}

function fieldText({ name, type, nullable }: Field): string {
  return `${quoted(name)}: ${typeText(type)}${nullable ? "" : " not null"}`;
}

function quoted(name: string): string {
  return /^[\w./+-]+$/.test(name) ? name : JSON.stringify(name);
}

class Parser {
  readonly #text: string;
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    TOKEN.lastIndex = 0;
    for (let end = 0; end < text.trimEnd().length; end = TOKEN.lastIndex) {
      const [, mark, name, word] = TOKEN.exec(text) ?? [];
      const token = mark ?? name ?? word;
      if (token === undefined)
        throw invalid(text, `${JSON.stringify(text.slice(end).trim())} is not understood`);
      this.#tokens.push(token);
    }
  }

  fields(): Field[] {
    const fields = [this.#field()];
    while (this.#take(",")) fields.push(this.#field());
    return fields;
  }

  expectEnd(): void {
    if (this.#at < this.#tokens.length) throw this.#unexpected("a comma or the end");
  }

  #field(): Field {
    const name = this.#word("the name of a column");
    this.#expect(":");
    const type = this.#type();
    const isRequired = this.#take("not");
    if (isRequired) this.#expect("null");
    return new Field(name, type, !isRequired);
  }

  #type(): DataType {
    const word = this.#word("a type");
    const name = ALIASES[word] ?? word;
    const simple = Object.hasOwn(SIMPLE, name) ? SIMPLE[name] : undefined;
    return simple?.() ?? this.#parametric(name);
  }

  #parametric(name: string): DataType {
    switch (name) {
      case "timestamp":
        return this.#timestamp();
      case "time":
        return this.#time();
      case "duration":
        return new Duration(this.#within("[", "]", () => this.#unit()));
      case "decimal":
      case "decimal128":
      case "decimal256":
        return this.#decimal(name === "decimal256" ? 256 : 128);
      case "fixed_size_binary":
        return new FixedSizeBinary(this.#within("(", ")", () => this.#number(1)));
      case "list":
        return new List(this.#item());
      case "fixed_size_list": {
        const item = this.#item();
        return new FixedSizeList(
          this.#within("(", ")", () => this.#number(1)),
          item,
        );
      }
      case "struct":
        return new Struct(this.#within("<", ">", () => this.fields()));
      case "map":
        return this.#map();
      case "dictionary":
        return new Dictionary(this.#item().type, new Int32());
      default:
        this.#at--;
        throw this.#unexpected("a type");
    }
  }

  #timestamp(): DataType {
    if (this.#peek() !== "[") return new Timestamp(TimeUnit.MICROSECOND);
    return this.#within("[", "]", () => {
      const unit = this.#unit();
      return new Timestamp(unit, this.#take(",") ? this.#word("a time zone") : null);
    });
  }

  #time(): DataType {
    const unit = this.#within("[", "]", () => this.#unit());
    return new Time(unit, unit === TimeUnit.SECOND || unit === TimeUnit.MILLISECOND ? 32 : 64);
  }

  #decimal(bitWidth: number): DataType {
    return this.#within("(", ")", () => {
      const precision = this.#number(1);
      const scale = this.#take(",") ? this.#number(0) : 0;
      if (precision > (bitWidth === 128 ? 38 : 76) || scale > precision)
        throw invalid(this.#text, `no decimal has precision ${precision} and scale ${scale}`);
      return new Decimal(scale, precision, bitWidth);
    });
  }

  #map(): DataType {
    return this.#within("<", ">", () => {
      const key = this.#type();
      this.#expect(",");
      const fields = [new Field("key", key, false), new Field("value", this.#type(), true)];
      return new Map_(new Field("entries", new Struct<{ key: DataType; value: DataType }>(fields), false));
    });
  }

  #item(): Field {
    return this.#within("<", ">", () => new Field("item", this.#type(), true));
  }

  #within<T>(open: string, close: string, read: () => T): T {
    this.#expect(open);
    const value = read();
    this.#expect(close);
    return value;
  }

  #unit(): TimeUnit {
    const unit = Object.hasOwn(UNITS, this.#peek() ?? "") ? UNITS[this.#peek()!] : undefined;
    if (unit === undefined) throw this.#unexpected("one of s, ms, us, ns");
    this.#at++;
    return unit;
  }

  #number(min: number): number {
    const value = /^\d+$/.test(this.#peek() ?? "") ? Number(this.#peek()) : Number.NaN;
    if (!(value >= min && value < 2 ** 31)) throw this.#unexpected("a number");
    this.#at++;
    return value;
  }

  #word(what: string): string {
    const token = this.#peek();
    if (token === undefined || /^[:,<>()[\]]$/.test(token)) throw this.#unexpected(what);
    this.#at++;
    return token.startsWith('"') ? String(JSON.parse(token)) : token;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unexpected(JSON.stringify(token));
  }

  #unexpected(wanted: string): FileError {
    const found = this.#peek();
    return invalid(
      this.#text,
      `expected ${wanted}, found ${found === undefined ? "the end" : JSON.stringify(found)}`,
    );
  }
}

function invalid(text: string, why: string): FileError {
  return new FileError("KHONSU_SCHEMA_INVALID", `Cannot use the schema ${JSON.stringify(text)}: ${why}`);
}
