/**
 * A participant: what it knows of each transaction, as a deterministic function of its log. Presumed abort (Mohan,
 * Lindsay & Obermarck 1986, §3) with the decision in the log of the home participant instead of a coordinator's.
 *
 * - TP-2 The decision is the first outcome applied at home; a recorded outcome never changes.
 * - TP-3 Home commits only what it has certified, has no outcome, and has the votes of all the others.
 * - TP-4 Nothing is certified twice: a known id is answered with what is recorded.
 * - TP-5 An unknown id at or below the floor is expired: it gets no vote and leaves no trace.
 * - TP-9 An outcome stays until the floor passes its birth, and a commit at home until every other participant has
 *   recorded that it applied it; what is prepared stays until it has an outcome.
 * - TP-10 `expired` frees only what is still prepared.
 */
import { ByBirth } from "./by-birth.ts";
import { InvariantViolation } from "./errors.ts";
import type { TransactionRecord } from "./message.ts";
import type {
  Applied,
  Certify,
  Change,
  Entry,
  Packing,
  TableCheckpoint,
  TableSnapshot,
  Unfinished,
} from "./outcome-entry.ts";
import { DECIDE, RULES, type State } from "./outcome-rules.ts";
import { checkFloor } from "./request-check.ts";
import { SettledCommits } from "./settled-commits.ts";
import type { AbortReason, Outcome, Status } from "./status.ts";
import {
  compareTransactionIds,
  formatTransactionId,
  type ParticipantId,
  type Timestamp,
  type TransactionId,
} from "./transaction-id.ts";
import { TransactionMap } from "./transaction-map.ts";
import type { Vote } from "./vote.ts";

const NOBODY: readonly ParticipantId[] = [];

type Prepared<P, V, R> = Extract<Entry<P, V, R>, { state: "prepared" }>;

export class OutcomeTable<P, V, R> {
  readonly self: ParticipantId;
  readonly #certify: Certify<P, V, R>;
  readonly #packing: Packing<V> | undefined;
  /** What somebody has to finish: prepared, or committed and not acknowledged by all. */
  readonly #unfinished = new TransactionMap<Unfinished<P, V, R>>();
  /** The others go when the floor passes them: commits whose value is a number, and the rest. No id is in two of the three. */
  readonly #settled = new ByBirth(() => new SettledCommits());
  readonly #finished = new ByBirth(() => new TransactionMap<Entry<P, V, R>>());
  #floor: Timestamp;

  /**
   * @param checkpoint what to start from; by default an empty table with floor -1, which is below every birth
   * @param packing which values of decisions are kept as numbers; by default none
   */
  constructor(
    self: ParticipantId,
    certify: Certify<P, V, R>,
    checkpoint?: TableSnapshot<P, V, R>,
    packing?: Packing<V>,
  ) {
    this.self = self;
    this.#certify = certify;
    this.#packing = packing;
    this.#floor = checkpoint?.floor ?? -1;
    for (const entry of checkpoint?.entries ?? []) this.#put(entry);
  }

  /** Ids born at or before this are expired unless something is recorded of them. */
  get floor(): Timestamp {
    return this.#floor;
  }

  /** How many transactions something is kept of. */
  get size(): number {
    return this.#unfinished.size + this.#settled.size + this.#finished.size;
  }

  /** What is known of a transaction: the answer to an inquiry. */
  statusOf(id: TransactionId): Status<V, R> {
    const entry = this.#entryOf(id);
    switch (entry?.state) {
      case undefined:
        return { kind: id.birth <= this.#floor ? "expired" : "unknown" };
      case "prepared":
        return { kind: "prepared", value: entry.value };
      case "committed":
        return { kind: "committed", value: entry.value };
      case "aborted":
        return { kind: "aborted", reason: entry.reason };
    }
  }

  /**
   * Applies the next record of the log about a transaction.
   *
   * @throws InvariantViolation if the record cannot stand in a correct log; nothing has changed then
   */
  apply(record: TransactionRecord<P, V, R>): Applied<P, V, R> {
    const rules = RULES[this.#stateOf(record.id)];
    switch (record.kind) {
      case "prepare":
        return rules.prepare === "certify" ? this.#prepare(record) : this.#answer(record.id);
      case "commit":
        return rules.commit === "certify" ? this.#commit(record) : this.#answer(record.id);
      case "decide": {
        const rule = rules[DECIDE[record.outcome.kind]];
        if (rule === "answerHome") this.#assertHome(record);
        return rule === "settle" ? this.#settle(record.id, record.outcome) : this.#answer(record.id);
      }
      case "acknowledge":
        if (rules.acknowledge === "note") this.#note(record);
        return this.#answer(record.id);
    }
  }

  /**
   * Raises the floor, and forgets what it passes and TP-9 does not keep. A lower floor changes nothing.
   *
   * @throws RangeError if the floor is not a safe integer
   */
  raiseFloor(floor: Timestamp): void {
    checkFloor(floor);
    if (floor <= this.#floor) return;
    this.#floor = floor;
    this.#settled.deleteUpTo(floor);
    this.#finished.deleteUpTo(floor);
  }

  /**
   * The transactions that somebody has to finish, in the order in which they became so: prepared ones are in doubt, commits
   * at home lack the acknowledgement of some participant.
   */
  unfinished(): Generator<Unfinished<P, V, R>, undefined> {
    return this.#unfinished.values();
  }

  /** The whole table, in the order of ids: equal for every replica that has applied the same records. */
  checkpoint(): TableCheckpoint<P, V, R> {
    const { floor, entries } = this.snapshot();
    return { floor, entries: [...entries] };
  }

  /** The same, whose entries are made as they are taken, whatever is applied meanwhile. */
  snapshot(): TableSnapshot<P, V, R> {
    const others = this.#listOf();
    const spans = this.#settled.stores().map((store) => store.copy());
    return {
      floor: this.#floor,
      size: this.size,
      entries: { [Symbol.iterator]: () => this.#inOrder(others, spans) },
    };
  }

  /** All that is not settled. */
  #listOf(): Entry<P, V, R>[] {
    const entries: Entry<P, V, R>[] = [...this.#unfinished.values()];
    for (const store of this.#finished.stores()) entries.push(...store.values());
    return entries.sort((a, b) => compareTransactionIds(a.id, b.id));
  }

  /** Two lists in the order of ids as one: `others`, and the commits of spans, which are put in order one span at a time. */
  *#inOrder(
    others: readonly Entry<P, V, R>[],
    spans: readonly SettledCommits[],
  ): Generator<Entry<P, V, R>, undefined> {
    let next = 0;
    for (const span of spans) {
      const commits = [...span.entries()].sort(([a], [b]) => compareTransactionIds(a, b));
      for (const [id, value] of commits) {
        while (next < others.length && compareTransactionIds(others[next]!.id, id) < 0) yield others[next++]!;
        yield this.#unpack(id, value);
      }
    }
    while (next < others.length) yield others[next++]!;
  }

  #entryOf(id: TransactionId): Entry<P, V, R> | undefined {
    const unfinished = this.#unfinished.get(id);
    if (unfinished !== undefined) return unfinished;
    const value = this.#settled.find(id.birth)?.get(id);
    return value === undefined ? this.#finished.find(id.birth)?.get(id) : this.#unpack(id, value);
  }

  #unpack(id: TransactionId, value: number): Entry<P, V, R> {
    return { state: "committed", id, value: this.#packing!.unpack(value), unacknowledged: NOBODY };
  }

  #stateOf(id: TransactionId): State {
    const entry = this.#entryOf(id);
    return entry?.state ?? (id.birth <= this.#floor ? "expired" : "unknown");
  }

  #answer(id: TransactionId, change: Change<P, V> = { kind: "none" }): Applied<P, V, R> {
    return { status: this.statusOf(id), change };
  }

  #prepare(record: Extract<TransactionRecord<P, V, R>, { kind: "prepare" }>): Applied<P, V, R> {
    const { id, participants, request } = record;
    const vote = this.#certify(request, id, undefined);
    if (vote.kind !== "yes") return this.#decline(id, vote);
    this.#put({ state: "prepared", id, participants, request, value: vote.value });
    return this.#answer(id, { kind: "hold", request, value: vote.value });
  }

  #commit(record: Extract<TransactionRecord<P, V, R>, { kind: "commit" }>): Applied<P, V, R> {
    const { id, participants, request, votes } = record;
    this.#assertHome(record);
    const vote = this.#certify(request, id, votes);
    if (vote.kind !== "yes") return this.#decline(id, vote);
    const unacknowledged = participants.filter((other) => other !== this.self);
    this.#put({ state: "committed", id, value: vote.value, unacknowledged });
    const status = { kind: "committed", value: vote.value } as const;
    return { status, change: { kind: "install", request, value: vote.value } };
  }

  #decline(id: TransactionId, vote: Exclude<Vote<V, R>, { kind: "yes" }>): Applied<P, V, R> {
    const { reason } = vote;
    if (vote.kind === "refused") return { status: { kind: "refused", reason }, change: { kind: "none" } };
    this.#put({ state: "aborted", id, reason: { kind: "vote", participant: this.self, reason } });
    return this.#answer(id);
  }

  /** Records the first outcome; `RULES` lets only what is prepared come here, or an abort of what is unknown. */
  #settle(id: TransactionId, outcome: Outcome<V, R>): Applied<P, V, R> {
    const entry = this.#entryOf(id);
    const prepared = entry?.state === "prepared" ? entry : undefined;
    if (outcome.kind === "committed") return this.#install(id, prepared, outcome.value);
    const reason: AbortReason<R> =
      outcome.kind === "aborted" ? outcome.reason : { kind: "expired", participant: id.home };
    this.#put({ state: "aborted", id, reason });
    return this.#answer(id, prepared && { kind: "free", request: prepared.request });
  }

  #install(id: TransactionId, prepared: Prepared<P, V, R> | undefined, value: V): Applied<P, V, R> {
    if (prepared === undefined)
      throw new InvariantViolation("TP-3", `${formatTransactionId(id)} is not prepared`);
    const { participants, request } = prepared;
    const unacknowledged = id.home === this.self ? participants.filter((other) => other !== this.self) : [];
    this.#put({ state: "committed", id, value, unacknowledged });
    return this.#answer(id, { kind: "install", request, value });
  }

  #note({ id, participants }: Extract<TransactionRecord<P, V, R>, { kind: "acknowledge" }>): void {
    const entry = this.#entryOf(id);
    if (entry?.state !== "committed") return;
    const unacknowledged = entry.unacknowledged.filter((other) => !participants.includes(other));
    if (unacknowledged.length === 0 && id.birth <= this.#floor) this.#unfinished.delete(id);
    else if (entry.unacknowledged.length > 0) this.#put({ ...entry, unacknowledged });
  }

  #put(entry: Entry<P, V, R>): void {
    const { id } = entry;
    if (entry.state === "prepared" || (entry.state === "committed" && entry.unacknowledged.length > 0)) {
      this.#unfinished.set(id, entry);
      return;
    }
    this.#unfinished.delete(id);
    const number = entry.state === "committed" ? this.#packing?.pack(entry.value) : undefined;
    if (number === undefined) this.#finished.obtain(id.birth).set(id, entry);
    else this.#settled.obtain(id.birth).add(id, number);
  }

  #assertHome(record: TransactionRecord<P, V, R>): void {
    if (record.id.home === this.self) return;
    const id = formatTransactionId(record.id);
    throw new InvariantViolation(
      "TP-6",
      `${record.kind} of ${id} at ${this.self}, which is ${this.#stateOf(record.id)}`,
    );
  }
}
