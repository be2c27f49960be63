// What the command asks of the checkers, as one verdict whatever the model.
import {
  type Anomaly,
  type CheckResult,
  checkBankTotal,
  checkLinearizable,
  checkLongFork,
  checkMonotonicReads,
  checkMonotonicWrites,
  checkReadYourWrites,
  checkTransactions,
  checkWritesFollowReads,
  type LinearizabilityFailure,
  type Model,
  modelNamed,
  proscribedBy,
} from "../checkers/index.ts";
import type { History, Value } from "../history/index.ts";

/** A fault, ready to be told and drawn. */
export interface Fault {
  /** Kind of anomaly, `not-linearizable`, or name of the small check. */
  readonly kind: string;
  readonly isProscribed: boolean;
  readonly transactions: readonly number[];
  readonly explanation: string;
  readonly anomaly?: Anomaly;
  readonly failure?: LinearizabilityFailure;
}

export interface Verdict {
  readonly model: string;
  /** `"unknown"` when nothing was found but a search was given up. */
  readonly valid: boolean | "unknown";
  readonly faults: readonly Fault[];
  /** How many of each kind there are, where that is more than what is in `faults`. */
  readonly counts: Readonly<Record<string, number>>;
  /** Models that the history does not rule out; empty when linearizability was asked for. */
  readonly notRuledOut: readonly Model[];
  /** What was given up, in words. */
  readonly givenUp: readonly string[];
  /** How many observations each small check judged. */
  readonly judged: Readonly<Record<string, number>>;
}

const SMALL_CHECKS: Readonly<Record<string, (history: History) => CheckResult>> = {
  "long-fork": checkLongFork,
  "monotonic-reads": checkMonotonicReads,
  "read-your-writes": checkReadYourWrites,
  "monotonic-writes": checkMonotonicWrites,
  "writes-follow-reads": checkWritesFollowReads,
};

/** Names that `--also` takes. */
export const SMALL_CHECK_NAMES: readonly string[] = [...Object.keys(SMALL_CHECKS), "bank=TOTAL"];

/** Model names beside those of transactions: linearizability of single objects, or the small checks alone. */
export const OTHER_MODELS = ["linearizable", "none"] as const;

export interface JudgeOptions {
  readonly model: string;
  readonly also: readonly string[];
  readonly initial: Value;
  /** Configurations of one object, or edges walked for one kind of cycle, before a search is given up. */
  readonly limit?: number;
}

/** @throws {RangeError} for names that are none, {TypeError} or {HistoryError} for a history that the model cannot judge */
export function judge(history: History, options: JudgeOptions): Verdict {
  const { also } = options;
  const small = also.map((name) => ({ name: name.split("=")[0]!, result: smallCheck(name)(history) }));
  const main = mainVerdict(history, options);
  const faults = small.flatMap(({ name, result }) =>
    result.violations.map((violation) => ({ kind: name, isProscribed: true, ...violation })),
  );
  const isSmallValid = small.every(({ result }) => result.valid);
  return {
    ...main,
    valid: isSmallValid ? main.valid : false,
    faults: [...main.faults, ...faults],
    counts: { ...main.counts, ...Object.fromEntries(small.map(({ name, result }) => [name, result.count])) },
    judged: Object.fromEntries(small.map(({ name, result }) => [name, result.judged])),
  };
}

function mainVerdict(history: History, { model, initial, limit }: JudgeOptions): Verdict {
  const nothing = { model, valid: true, faults: [], counts: {}, notRuledOut: [], givenUp: [], judged: {} };
  if (model === "none") return nothing;
  if (model === "linearizable") {
    const { valid, failures, undecided } = checkLinearizable(history, {
      initial,
      ...(limit === undefined ? {} : { configurationsMax: limit }),
    });
    const faults = failures.map((failure) => ({
      kind: "not-linearizable",
      isProscribed: true,
      transactions: [...failure.longest.slice(-1), failure.blocked],
      explanation: failure.explanation,
      failure,
    }));
    return { ...nothing, valid, faults, givenUp: undecided.map((key) => `key ${JSON.stringify(key)}`) };
  }
  const result = checkTransactions(history, {
    model: modelNamed(model),
    initial,
    ...(limit === undefined ? {} : { stepsMax: limit }),
  });
  const { anomalies, counts, notRuledOut, givenUp } = result;
  const faults = anomalies.map((anomaly) => ({ ...anomaly, anomaly }));
  const proscribed = proscribedBy(result.model);
  const isOpen = givenUp.some((kind) => proscribed.has(kind));
  const valid = result.valid && isOpen ? "unknown" : result.valid;
  return { ...nothing, valid, faults, counts, notRuledOut, givenUp };
}

function smallCheck(name: string): (history: History) => CheckResult {
  const known = SMALL_CHECKS[name];
  if (known !== undefined) return known;
  const [, total] = /^bank=(-?\d+(?:\.\d+)?)$/.exec(name) ?? [];
  if (total === undefined)
    throw new RangeError(`No check is called ${name}; there are ${SMALL_CHECK_NAMES.join(", ")}`);
  return (history) => checkBankTotal(history, { total: Number(total) });
}
