// The lattice of isolation levels, each by the anomalies that it proscribes (docs/spec/anomalies.md, AN-20).
//
// Adya 1999 for PL-1, PL-2, PL-CS, PL-SI and PL-3; Cerone & Gotsman 2018 for snapshot isolation as "no cycle without two
// adjacent antidependencies"; the session and real-time variants after Kingsbury & Alvaro 2020.
import { type AnomalyKind, CYCLE_KINDS, type CycleKind, type DirectKind } from "./anomaly.ts";

export const MODELS = [
  "read-uncommitted",
  "read-committed",
  "cursor-stability",
  "snapshot-isolation",
  "serializable",
  "strong-session-snapshot-isolation",
  "strong-session-serializable",
  "strong-snapshot-isolation",
  "strict-serializable",
] as const;

/** `repeatable-read` is accepted for `snapshot-isolation`, as Khonsu uses the word. */
export type Model = (typeof MODELS)[number];

/** Which orders beside the data count as dependencies. */
export type OrderLevel = "data" | "process" | "realtime";

const ALWAYS: readonly DirectKind[] = ["internal", "duplicate-elements", "phantom-value"];
const COMMITTED: readonly DirectKind[] = [...ALWAYS, "G1a", "G1b", "incompatible-order"];
const SNAPSHOT: readonly DirectKind[] = [
  ...COMMITTED,
  "non-repeatable-read",
  "lost-update",
  "concurrent-update",
];
const SNAPSHOT_CYCLES: readonly CycleKind[] = ["G0", "G1c", "G-single", "G-nonadjacent"];

interface Definition {
  readonly direct: readonly DirectKind[];
  readonly cycles: readonly CycleKind[];
  readonly level: OrderLevel;
}

const DEFINITIONS: Record<Model, Definition> = {
  "read-uncommitted": { direct: ALWAYS, cycles: ["G0"], level: "data" },
  "read-committed": { direct: COMMITTED, cycles: ["G0", "G1c"], level: "data" },
  "cursor-stability": { direct: [...COMMITTED, "lost-update"], cycles: ["G0", "G1c"], level: "data" },
  "snapshot-isolation": { direct: SNAPSHOT, cycles: SNAPSHOT_CYCLES, level: "data" },
  serializable: { direct: SNAPSHOT, cycles: CYCLE_KINDS, level: "data" },
  "strong-session-snapshot-isolation": { direct: SNAPSHOT, cycles: SNAPSHOT_CYCLES, level: "process" },
  "strong-session-serializable": { direct: SNAPSHOT, cycles: CYCLE_KINDS, level: "process" },
  "strong-snapshot-isolation": { direct: SNAPSHOT, cycles: SNAPSHOT_CYCLES, level: "realtime" },
  "strict-serializable": { direct: SNAPSHOT, cycles: CYCLE_KINDS, level: "realtime" },
};

/** The model of that name. @throws {RangeError} for a name that is none */
export function modelNamed(name: string): Model {
  if (name === "repeatable-read") return "snapshot-isolation";
  const found = MODELS.find((model) => model === name);
  if (found === undefined) throw new RangeError(`No model is called ${name}; there are ${MODELS.join(", ")}`);
  return found;
}

/** The orders that have to be looked at to judge a model. */
export function levelOf(model: Model): OrderLevel {
  return DEFINITIONS[model].level;
}

/** Every anomaly that the model proscribes. */
export function proscribedBy(model: Model): ReadonlySet<AnomalyKind> {
  const { direct, cycles, level } = DEFINITIONS[model];
  const process = level === "data" ? [] : cycles.map((kind): AnomalyKind => `${kind}-process`);
  const realtime = level === "realtime" ? cycles.map((kind): AnomalyKind => `${kind}-realtime`) : [];
  return new Set<AnomalyKind>([...direct, ...cycles, ...process, ...realtime]);
}

/** The models among those whose orders were looked at that none of the anomalies rules out, weakest first. */
export function modelsNotRuledOut(found: Iterable<AnomalyKind>, level: OrderLevel): Model[] {
  const kinds = [...found];
  const levels: readonly OrderLevel[] = ["data", "process", "realtime"];
  return MODELS.filter((model) => {
    if (levels.indexOf(levelOf(model)) > levels.indexOf(level)) return false;
    const proscribed = proscribedBy(model);
    return !kinds.some((kind) => proscribed.has(kind));
  });
}
