/**
 * A log for an application: commands are proposed until they are decided, whoever leads meanwhile. It is a client of its group:
 * it draws a client id, numbers its commands and keeps within the session window (duty 9 of the README), so that a command that is
 * proposed again after a refusal is applied once (PX-15).
 *
 * Every command ends: applied, refused for good, or given up after `proposeMs`, when it may still be applied later, once.
 */
import type { Configuration, MembershipChange } from "../configuration.ts";
import { refusal } from "../errors.ts";
import type { Envelope } from "../message.ts";
import { DEFAULT_LIMITS } from "../options.ts";
import { nodeOf, type ReplicaId } from "../replica-id.ts";
import type { Status } from "../status.ts";
import { Driver, type DriverOptions } from "./driver.ts";
import { LogAdmin } from "./log-admin.ts";
import { Pursuit, type PursuitContext } from "./pursuit.ts";
import { RefusedError } from "./waiting.ts";

export interface ReplicatedLogOptions extends DriverOptions {
  /** From 0 (included) to 1 (excluded). Draws the client id, which must differ from run to run, and the jitter of pauses. */
  readonly random: () => number;
  /** For how long a command is proposed again after refusals that trying again can help, in milliseconds. Default 5,000. */
  readonly proposeMs?: number;
  /** Commands that wait while as many as the session window are on their way. Default 8192. */
  readonly waitingMax?: number;
}

/** What a log says of itself to those who route by it; `describe` has the rest. */
export interface ReplicatedLogStatus {
  readonly isLeader: boolean;
  /** The node that leads, if known. */
  readonly leader: number | undefined;
  readonly applied: number;
}

const PROPOSE_MS = 5000;
const WAITING_MAX = 8192;

export class ReplicatedLog {
  /** Who takes part, and changes of that. */
  readonly admin: LogAdmin;
  readonly #driver: Driver;
  readonly #options: ReplicatedLogOptions;
  readonly #pursuits: PursuitContext;
  readonly #window: number;
  readonly #client: number;
  #sequence = 0;
  /** The sequences on their way, and one that is not above any of them. */
  readonly #unanswered = new Set<number>();
  #oldest = 1;
  /** Commands that wait for room in the window, in order; each is given its sequence, at the latest by `close`. */
  readonly #waiting: ((sequence: number) => void)[] = [];
  readonly #pauses = new Set<() => void>();
  #isClosed = false;

  private constructor(driver: Driver, options: ReplicatedLogOptions) {
    this.#driver = driver;
    this.admin = new LogAdmin(driver);
    this.#options = options;
    this.#window = options.replica.sessionWindow ?? DEFAULT_LIMITS.sessionWindow;
    this.#client = Math.floor(options.random() * 2 ** 52);
    this.#pursuits = this.#pursuitContext();
  }

  #pursuitContext(): PursuitContext {
    const { clock, proposeMs = PROPOSE_MS, random } = this.#options;
    const isClosed = (): boolean => this.#isClosed;
    return {
      driver: this.#driver,
      clock,
      random,
      proposeMs,
      pauses: this.#pauses,
      get isClosed() {
        return isClosed();
      },
      ended: (sequence) => {
        this.#unanswered.delete(sequence);
        if (this.#waiting.length > 0) this.#admit();
      },
    };
  }

  /** Recovers the disk, restores the application from it and has the replica take part. */
  static async open(options: ReplicatedLogOptions): Promise<ReplicatedLog> {
    return new ReplicatedLog(await Driver.open(options), options);
  }

  /** To be called with every message that arrives for this replica. */
  receive(envelope: Envelope): void {
    this.#driver.receive(envelope);
  }

  /**
   * Has a command decided and applied. Resolves with what the application returned here, or undefined where this replica learned
   * of it in another way.
   * @throws RefusedError `KHONSU_COMMAND_TOO_LARGE`: it is not applied. `KHONSU_OVERLOADED` or `KHONSU_REPLICA_STOPPED` before it was
   * proposed, and anything else: it may be applied later, once.
   */
  propose(command: Uint8Array): Promise<unknown> {
    const isFree = this.#waiting.length === 0 && this.#hasRoom;
    return isFree ? this.#pursue(this.#take(), command) : this.#proposeLater(command);
  }

  async #proposeLater(command: Uint8Array): Promise<unknown> {
    if (this.#waiting.length >= (this.#options.waitingMax ?? WAITING_MAX)) {
      throw new RefusedError(
        refusal("KHONSU_OVERLOADED", "Cannot propose: too many commands wait", undefined),
      );
    }
    const sequence = await new Promise<number>((resolve) => this.#waiting.push(resolve));
    return this.#pursue(sequence, command);
  }

  /** Whether the next sequence would be within the window of the oldest that is not answered. */
  get #hasRoom(): boolean {
    while (this.#oldest <= this.#sequence && !this.#unanswered.has(this.#oldest)) this.#oldest++;
    return this.#sequence + 1 - this.#oldest < this.#window;
  }

  #take(): number {
    this.#unanswered.add(++this.#sequence);
    return this.#sequence;
  }

  #pursue(sequence: number, command: Uint8Array): Promise<unknown> {
    return new Promise((resolve, reject) => {
      new Pursuit(this.#pursuits, { client: this.#client, sequence, command }, { resolve, reject }).begin();
    });
  }

  /** Lets in those who wait, in order, as far as there is room; all of them once the log is closed, to be refused. */
  #admit(): void {
    while (this.#waiting.length > 0 && (this.#hasRoom || this.#isClosed))
      this.#waiting.shift()!(this.#take());
  }

  /**
   * Resolves once everything that was decided before the call is applied here. Not tried again: another replica may answer sooner.
   * @throws RefusedError `KHONSU_OVERLOADED`, `KHONSU_NOT_LEADER` or `KHONSU_REPLICA_STOPPED`.
   */
  async readBarrier(): Promise<void> {
    await this.#driver.readBarrier();
  }

  status(): ReplicatedLogStatus {
    const { applied, leader, leading } = this.#driver.brief();
    return { isLeader: leading, leader: leader === undefined ? undefined : nodeOf(leader), applied };
  }

  /** All that there is to tell, for people and metrics. */
  describe(): Status {
    return this.#driver.status();
  }

  /** As `Driver.transferLeadership`. */
  transferLeadership(to: ReplicaId): Promise<void> {
    return this.#driver.transferLeadership(to);
  }

  /** As `Driver.changeMembership`. */
  changeMembership(change: MembershipChange): Promise<Configuration> {
    return this.#driver.changeMembership(change);
  }

  /** Stops taking part, as a crash would, after the write under way; whoever waits is refused. The storage stays open. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const end of [...this.#pauses]) end();
    this.#admit();
    await this.#driver.close();
  }
}
