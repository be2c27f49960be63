/**
 * Which dictionary the dictionary-encoded columns of a gathered batch get, and where each source's indices point
 * in it. Columns with one dictionary id must share one dictionary (Arrow IPC knows a dictionary by its id), so the
 * plan is made for a whole batch.
 *
 * - All sources share one dictionary: it is kept, and so are the indices.
 * - Otherwise the first dictionary keeps its place, and values that are new by value follow in order of appearance.
 *   Values without an equality (lists, structs) all count as new.
 */
import { type Data, type DataType, type Dictionary, type Int, Type, type Vector } from "apache-arrow";
import { KhonsuError } from "../errors.ts";
import { dictionaryKeys, isKeyType, type KeyValue } from "./key-value.ts";
import { childTypes, someType } from "./layout.ts";
import { pushRange, type RowRange } from "./ranges.ts";

/** What becomes of a dictionary that all sources share: it is kept, or its values move into new buffers. */
export type DictionaryPolicy = "keep" | "rebuild";

export interface DictionaryPlan {
  readonly policy: DictionaryPolicy;
  /** The dictionary, once it is known: at once where it is kept, at the first use where it is put together. */
  dictionary: Vector | undefined;
  /** The pieces of the dictionaries, and the values to take from them. */
  readonly chunks: readonly Data[];
  readonly ranges: readonly RowRange[];
  /** For each dictionary of a source the new index of each of its values; absent where indices stay as they are. */
  readonly remaps: ReadonlyMap<Vector, Int32Array>;
}

/** By dictionary id. */
export type DictionaryPlans = ReadonlyMap<number, DictionaryPlan>;

interface Group {
  readonly type: Dictionary;
  readonly dictionaries: Set<Vector>;
}

const NO_PLANS: DictionaryPlans = new Map();

/**
 * @param types the types of the result's columns
 * @param columns for each type its sources
 * @throws KhonsuError `KHONSU_UNSUPPORTED_TYPE` if a dictionary does not fit its type of index
 */
export function planDictionaries(
  types: readonly DataType[],
  columns: readonly (readonly Data[])[],
  policy: DictionaryPolicy,
): DictionaryPlans {
  if (!types.some((type) => someType(type, isDictionary))) return NO_PLANS;
  const groups = new Map<number, Group>();
  for (const [i, type] of types.entries()) collect(type, columns[i]!, groups);
  return new Map(Array.from(groups, ([id, group]) => [id, planGroup(group, policy)]));
}

function isDictionary(type: DataType): type is Dictionary {
  return type.typeId === Type.Dictionary;
}

function collect(type: DataType, sources: readonly Data[], groups: Map<number, Group>): void {
  if (isDictionary(type)) {
    const group = groups.get(type.id) ?? { type, dictionaries: new Set() };
    groups.set(type.id, group);
    for (const source of sources) group.dictionaries.add(source.dictionary!);
  }
  for (const [i, child] of childTypes(type).entries()) {
    collect(
      child,
      sources.map((source) => source.children[i]!),
      groups,
    );
  }
}

function planGroup({ type, dictionaries }: Group, policy: DictionaryPolicy): DictionaryPlan {
  const [first, ...others] = dictionaries;
  const chunks = [...dictionaries].flatMap((dictionary) => dictionary.data);
  const isShared = first !== undefined && others.every((other) => haveSameChunks(first, other));
  if (isShared && policy === "keep") {
    return { policy, dictionary: first, chunks, ranges: [], remaps: new Map() };
  }
  const union = new DictionaryUnion(type.dictionary);
  const remaps = new Map<Vector, Int32Array>();
  for (const dictionary of dictionaries) {
    const remap = union.add(dictionary);
    if (dictionary !== first) remaps.set(dictionary, remap);
  }
  assertIndexable(type, union.size);
  return { policy, dictionary: undefined, chunks, ranges: union.ranges, remaps };
}

/** A memoized vector is another object over the same data. */
function haveSameChunks(a: Vector, b: Vector): boolean {
  return a === b || (a.data.length === b.data.length && a.data.every((data, i) => data === b.data[i]));
}

class DictionaryUnion {
  readonly ranges: RowRange[] = [];
  size = 0;
  #chunks = 0;
  readonly #hasEquality: boolean;
  readonly #indexes = new Map<KeyValue | null, number>();

  constructor(valueType: DataType) {
    this.#hasEquality = isKeyType(valueType);
  }

  /** The index in the union of each value of the dictionary. The first dictionary keeps its indices. */
  add(dictionary: Vector): Int32Array {
    const isFirst = this.#chunks === 0;
    const remap = new Int32Array(dictionary.length);
    const keys = this.#hasEquality ? dictionaryKeys(dictionary).map(identity) : undefined;
    let index = 0;
    for (const data of dictionary.data) {
      for (let row = 0; row < data.length; row++, index++) {
        const known = keys && this.#indexes.get(keys[index]!);
        if (known !== undefined && !isFirst) {
          remap[index] = known;
          continue;
        }
        if (keys !== undefined && known === undefined) this.#indexes.set(keys[index]!, this.size);
        pushRange(this.ranges, this.#chunks, row, 1);
        remap[index] = this.size++;
      }
      this.#chunks++;
    }
    return remap;
  }
}

/** As a key 0 equals -0; yet who merges rows must not change a value. No dictionary holds both numbers and strings. */
function identity(key: KeyValue | null): KeyValue | null {
  return Object.is(key, -0) ? "-0" : key;
}

/** How many values the indices of a dictionary type can tell apart. */
export function indexCapacity(type: Dictionary): number {
  const { bitWidth, isSigned } = type.indices as Int;
  return Math.min(2 ** (isSigned ? bitWidth - 1 : bitWidth), 2 ** 31 - 1);
}

function assertIndexable(type: Dictionary, size: number): void {
  const capacity = indexCapacity(type);
  if (size <= capacity) return;
  throw new KhonsuError(
    "KHONSU_UNSUPPORTED_TYPE",
    `Cannot combine dictionaries into ${size} values: ${type} tells ${capacity} apart; use a wider type of index`,
  );
}
