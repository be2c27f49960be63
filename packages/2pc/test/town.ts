/**
 * A few participants and clients, a bad network between them, and a memory of all that happened. Participants lock keys while
 * they are prepared, so transactions stand in one another's way. All chance comes from one seed.
 */
import type { CoordinatorEffect } from "../src/coordinator-state.ts";
import type { TransactionRecord } from "../src/message.ts";
import { OutcomeTable } from "../src/outcome-table.ts";
import { PacedCoordinator } from "../src/paced-coordinator.ts";
import { Recovery } from "../src/recovery.ts";
import { formatTransactionId, type ParticipantId, type TransactionId } from "../src/transaction-id.ts";

export interface FaultRates {
  /** Share of messages that are lost, and that are delivered twice. */
  readonly loss: number;
  readonly repeat: number;
  /** Messages take from 1 to this many ticks. */
  readonly delayTicksMax: number;
  /** Chances a tick: that a coordinator dies, that a participant restarts from its log, that a floor rises. */
  readonly coordinatorCrash: number;
  readonly participantRestart: number;
  readonly floor: number;
}

const NO_FAULTS: FaultRates = {
  loss: 0,
  repeat: 0,
  delayTicksMax: 2,
  coordinatorCrash: 0,
  participantRestart: 0,
  floor: 0,
};

type Booking = { readonly key: string };
type Coordinator = PacedCoordinator<Booking, number, string>;
type Effects = readonly CoordinatorEffect<Booking, number, string>[];

interface Member {
  table: OutcomeTable<Booking, number, string>;
  recovery: Recovery;
  readonly log: (
    | TransactionRecord<Booking, number, string>
    | { readonly kind: "floor"; readonly floor: number }
  )[];
  held: Set<string>;
  readonly installed: Map<string, number>;
}

interface Transaction {
  readonly id: TransactionId;
  readonly participants: readonly ParticipantId[];
  readonly key: string;
  readonly told: Set<string>;
}

const MEMBERS = 3;
const KEYS = ["a", "b", "c"];
const TRANSACTIONS_MAX = 60;

export class Town {
  #now = 0;
  #random: number;
  #faults: FaultRates;
  #newWork = true;
  readonly #members: Member[] = [];
  readonly #transactions: Transaction[] = [];
  #coordinators: Coordinator[] = [];
  #arrivals = new Map<number, (() => void)[]>();

  constructor(seed: number, faults: FaultRates) {
    this.#random = seed >>> 0;
    this.#faults = faults;
    for (let self = 0; self < MEMBERS; self += 1) this.#members.push(this.#member(self, []));
  }

  tick(): void {
    this.#now += 1;
    for (const arrive of this.#arrivals.get(this.#now) ?? []) arrive();
    this.#arrivals.delete(this.#now);
    this.#coordinators = this.#coordinators.filter(({ state }) => state.phase !== "done");
    this.#coordinators = this.#coordinators.filter(() => !this.#happens(this.#faults.coordinatorCrash));
    for (const coordinator of [...this.#coordinators]) this.#follow(coordinator, coordinator.tick());
    for (const [self, member] of this.#members.entries()) {
      for (const { id, participants } of member.recovery.tick())
        this.#coordinate(id, participants, "recovery");
      if (this.#happens(this.#faults.participantRestart))
        this.#members[self] = this.#member(self, member.log);
      if (this.#happens(this.#faults.floor)) this.#raiseFloor(member, this.#now - 150);
    }
    if (this.#newWork && this.#happens(0.2)) this.#client();
  }

  /** No more faults and no more clients. */
  heal(): void {
    this.#faults = NO_FAULTS;
    this.#newWork = false;
  }

  /** What is still going on. */
  unfinished(): string[] {
    const atMembers = this.#members.flatMap(({ table }, self) =>
      [...table.unfinished()].map(({ id, state }) => `${formatTransactionId(id)} is ${state} at ${self}`),
    );
    const held = this.#members.flatMap((member) => [...member.held]);
    return [...atMembers, ...held, ...this.#coordinators.map(({ state }) => state.phase)];
  }

  /** What was wrong. */
  problems(): string[] {
    return this.#transactions.flatMap(({ id, participants, told }) => {
      const name = formatTransactionId(id);
      const values = participants.map((participant) => this.#members[participant]!.installed.get(name));
      const [first] = values;
      if (values.some((value) => value !== first)) return [`TP-1: ${name} is installed as ${values}`];
      if (told.has("committed") && first === undefined)
        return [`TP-8: ${name} was told committed, and is not there`];
      if (told.has("aborted") && first !== undefined) return [`TP-8: ${name} was told aborted, and is there`];
      return [];
    });
  }

  told(): readonly string[] {
    return this.#transactions.flatMap((transaction) => [...transaction.told]);
  }

  /** A client begins a transaction, or sends one again under its id. */
  #client(): void {
    const again = this.#transactions[this.#below(TRANSACTIONS_MAX)];
    if (again !== undefined) {
      this.#coordinate(again.id, again.participants, "transaction");
      return;
    }
    if (this.#transactions.length === TRANSACTIONS_MAX) return;
    const participants = [0, 1, 2].filter(() => this.#happens(0.7));
    const home = participants[this.#below(participants.length)];
    if (home === undefined) return;
    const id = { birth: this.#now, random: this.#below(2 ** 20), home };
    this.#transactions.push({ id, participants, key: KEYS[this.#below(KEYS.length)]!, told: new Set() });
    this.#coordinate(id, participants, "transaction");
  }

  #coordinate(
    id: TransactionId,
    participants: readonly ParticipantId[],
    how: "transaction" | "recovery",
  ): void {
    const { key } = this.#transactionOf(id);
    const requests = new Map(participants.map((participant) => [participant, { key }]));
    const task = { id, participants, requests, merge: Math.max };
    const coordinator: Coordinator = new PacedCoordinator(task, { seed: this.#below(2 ** 31) });
    this.#coordinators.push(coordinator);
    this.#follow(coordinator, coordinator.begin(how));
  }

  #follow(coordinator: Coordinator, effects: Effects): void {
    for (const effect of effects) {
      if (effect.kind === "report") this.#transactionOf(coordinator.task.id).told.add(effect.result.kind);
      else this.#send(() => this.#receive(coordinator, effect));
    }
  }

  #receive(coordinator: Coordinator, { to, request }: Extract<Effects[number], { kind: "send" }>): void {
    const member = this.#members[to]!;
    const status =
      request.kind === "inquire" ? member.table.statusOf(request.id) : this.#apply(member, request);
    this.#send(() => {
      // An answer to one that has died since reaches nobody.
      if (this.#coordinators.includes(coordinator))
        this.#follow(coordinator, coordinator.answered(to, status));
    });
  }

  #apply(member: Member, record: TransactionRecord<Booking, number, string>) {
    member.log.push(record);
    return this.#applied(member, record);
  }

  #applied(member: Member, record: TransactionRecord<Booking, number, string>) {
    const { status, change } = member.table.apply(record);
    if (change.kind === "hold") member.held.add(change.request.key);
    if (change.kind === "free" || change.kind === "install") member.held.delete(change.request.key);
    if (change.kind === "install") member.installed.set(formatTransactionId(record.id), change.value);
    return status;
  }

  #raiseFloor(member: Member, floor: number): void {
    member.log.push({ kind: "floor", floor });
    member.table.raiseFloor(floor);
  }

  /** A member as its log makes it: new, or after a restart. */
  #member(self: ParticipantId, log: Member["log"]): Member {
    const held = new Set<string>();
    const table = new OutcomeTable<Booking, number, string>(self, ({ key }, { birth }, votes) =>
      held.has(key)
        ? { kind: "no", reason: "busy" }
        : { kind: "yes", value: Math.max(birth + self, votes ?? 0) },
    );
    const recovery = new Recovery(table, { seed: self });
    const member: Member = { table, recovery, log, held, installed: new Map() };
    for (const record of log) {
      if (record.kind === "floor") table.raiseFloor(record.floor);
      else this.#applied(member, record);
    }
    return member;
  }

  #send(arrive: () => void): void {
    if (this.#happens(this.#faults.loss)) return;
    const copies = this.#happens(this.#faults.repeat) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const at = this.#now + 1 + this.#below(this.#faults.delayTicksMax);
      this.#arrivals.set(at, [...(this.#arrivals.get(at) ?? []), arrive]);
    }
  }

  #transactionOf(id: TransactionId): Transaction {
    return this.#transactions.find(
      (transaction) => transaction.id.random === id.random && transaction.id.birth === id.birth,
    )!;
  }

  #happens(chance: number): boolean {
    return this.#below(2 ** 32) < chance * 2 ** 32;
  }

  /** A random integer from 0 to `limit` − 1: a linear congruence, of whose state only the upper bits are used. */
  #below(limit: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    const upper = this.#random >>> 8;
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor(((upper * 2 ** 24 + (this.#random >>> 8)) / 2 ** 48) * limit);
  }
}
