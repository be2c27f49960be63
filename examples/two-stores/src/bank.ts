/**
 * The driver: two stores, and the loop that carries out what coordinators ask for. Here all of it is in one process, a
 * request is a call, and a tick passes whenever nothing else is left to do; over a network a request would be a message, and a
 * tick would come from a timer. Nothing else would change.
 */
import {
  type Beginning,
  type CoordinatorEffect,
  type DecisionLog,
  DurableParticipant,
  type DurableRecord,
  PacedCoordinator,
  type ParticipantId,
  Recovery,
  type Result,
  type TransactionId,
} from "@khonsu/2pc";
import { AccountStore, type Booking, type No, type SavedAccounts } from "./account-store.ts";

export type BankRecord = DurableRecord<Booking, number, No, SavedAccounts>;
export type BankLog = DecisionLog<BankRecord>;
export type BankResult = Result<number, No>;

/** How much is added to which account of which store. */
export type Transfer = ReadonlyMap<ParticipantId, Booking>;

type Effects = readonly CoordinatorEffect<Booking, number, No>[];

/** Long enough for every time-out of a coordinator to pass, so that one that waits for longer never ends. */
const TICKS_MAX = 5000;

export class Bank {
  readonly stores: readonly AccountStore[];
  readonly #participants: readonly DurableParticipant<Booking, number, No, SavedAccounts>[];
  readonly #recoveries: readonly Recovery[];

  private constructor(
    stores: readonly AccountStore[],
    participants: readonly DurableParticipant<Booking, number, No, SavedAccounts>[],
  ) {
    this.stores = stores;
    this.#participants = participants;
    this.#recoveries = participants.map(({ table }, seed) => new Recovery(table, { seed, patienceTicks: 1 }));
  }

  /** Opens one store for each log, with what the log holds. */
  static async open(logs: readonly BankLog[]): Promise<Bank> {
    const stores = logs.map(() => new AccountStore());
    const participants = await Promise.all(
      logs.map((log, self) => DurableParticipant.open(self, log, stores[self]!)),
    );
    return new Bank(stores, participants);
  }

  /** Carries out a transfer, all or nothing. Sent again under the same id it has the same result, and no further effect. */
  async transfer(id: TransactionId, transfer: Transfer): Promise<BankResult> {
    const participants = [...transfer.keys()].sort((a, b) => a - b);
    return this.#run(id, participants, "transaction", transfer);
  }

  /** Finishes whatever a crash left unfinished. */
  async recover(): Promise<void> {
    for (const recovery of this.#recoveries) {
      // With a patience of one tick everything unfinished is due at the second.
      const rescues = [...recovery.tick(), ...recovery.tick()];
      for (const { id, participants } of rescues) await this.#run(id, participants, "recovery", new Map());
    }
  }

  /** Whether some store waits for an outcome, or home for an acknowledgement. */
  get unfinished(): boolean {
    return this.#participants.some(({ table }) => [...table.unfinished()].length > 0);
  }

  /** Forgets all outcomes up to `birth`, and shortens the logs to what is needed. */
  async forget(birth: number): Promise<void> {
    for (const participant of this.#participants) {
      await participant.raiseFloor(birth);
      await participant.compact();
    }
  }

  async #run(
    id: TransactionId,
    participants: readonly ParticipantId[],
    how: Beginning,
    requests: Transfer,
  ): Promise<BankResult> {
    const coordinator = new PacedCoordinator<Booking, number, No>(
      { id, participants, requests, merge: Math.max },
      { seed: id.random },
    );
    let result: BankResult = { kind: "inDoubt" };
    const queue: Effects[] = [coordinator.begin(how)];
    for (let ticks = 0; coordinator.state.phase !== "done" || queue.length > 0; ) {
      const effects = queue.shift();
      if (effects === undefined) {
        ticks += 1;
        if (ticks > TICKS_MAX) throw new Error("The coordinator does not come to an end");
        queue.push(coordinator.tick());
        continue;
      }
      for (const effect of effects) {
        if (effect.kind === "report") result = effect.result;
        else {
          const status = await this.#participants[effect.to]!.handle(effect.request);
          queue.push(coordinator.answered(effect.to, status));
        }
      }
    }
    return result;
  }
}
