/**
 * Which proposals were applied, so that none is applied twice however often it is proposed (PX-15). Part of the replicated
 * state: a pure function of the decided entries, carried in the preface of every image. Bounded by `sessionsMax` clients of
 * `sessionWindow` sequences each; the client silent for most slots is forgotten first.
 */
import { PaxosError } from "./errors.ts";
import { NO_SLOT, type Slot } from "./slot.ts";

interface Session {
  readonly client: number;
  /** The highest sequence applied. */
  max: number;
  /** The slot of its last entry, a duplicate included. */
  lastUsed: number;
  /** By sequence modulo the window: where it was applied, 0 if it was not. */
  readonly slots: Float64Array;
}

/** What the table knows of a proposal: never applied, applied at a slot, or too old to tell. */
export type SessionVerdict = "new" | "expired" | Slot;

export class Sessions {
  private readonly window: number;
  private readonly limit: number;
  private readonly sessions = new Map<number, Session>();
  /** The session used last, since neighbouring entries often share their client. */
  private recent: Session | undefined;

  constructor(window: number, limit: number) {
    this.window = window;
    this.limit = limit;
  }

  get size(): number {
    return this.sessions.size;
  }

  lookUp(client: number, sequence: number): SessionVerdict {
    const session = this.find(client);
    return session === undefined ? "new" : this.verdict(session, sequence);
  }

  /** Notes that `sequence` of `client` is decided at `at`; says whether it is to be applied there, or where it was before. */
  apply(client: number, sequence: number, at: Slot): SessionVerdict {
    const session = this.find(client) ?? this.open(client);
    session.lastUsed = at;
    const verdict = this.verdict(session, sequence);
    if (verdict !== "new") return verdict;
    if (sequence > session.max) this.advance(session, sequence);
    session.slots[sequence % this.window] = at;
    return "new";
  }

  private verdict(session: Session, sequence: number): SessionVerdict {
    if (sequence > session.max) return "new";
    if (sequence <= session.max - this.window) return "expired";
    const at = session.slots[sequence % this.window]!;
    return at === NO_SLOT ? "new" : (at as Slot);
  }

  private advance(session: Session, sequence: number): void {
    if (sequence - session.max >= this.window) session.slots.fill(0);
    else
      for (let skipped = session.max + 1; skipped < sequence; skipped++)
        session.slots[skipped % this.window] = 0;
    session.max = sequence;
  }

  private find(client: number): Session | undefined {
    if (this.recent?.client === client) return this.recent;
    const session = this.sessions.get(client);
    if (session !== undefined) this.recent = session;
    return session;
  }

  private open(client: number): Session {
    if (this.sessions.size >= this.limit) this.forgetOldest();
    const session = { client, max: 0, lastUsed: 0, slots: new Float64Array(this.window) };
    this.sessions.set(client, session);
    this.recent = session;
    return session;
  }

  private forgetOldest(): void {
    let oldest: Session | undefined;
    for (const session of this.sessions.values()) {
      if (oldest === undefined || session.lastUsed < oldest.lastUsed) oldest = session;
    }
    if (oldest !== undefined) this.sessions.delete(oldest.client);
    this.recent = undefined;
  }

  /** As the preface of an image: little-endian doubles, clients in ascending order, so that equal tables give equal bytes. */
  encode(): Uint8Array {
    const numbers = [this.window, this.limit, this.sessions.size];
    for (const session of [...this.sessions.values()].sort((a, b) => a.client - b.client)) {
      const applied: number[] = [];
      for (let sequence = Math.max(1, session.max - this.window + 1); sequence <= session.max; sequence++) {
        const at = session.slots[sequence % this.window]!;
        if (at !== NO_SLOT) applied.push(sequence, at);
      }
      numbers.push(session.client, session.max, session.lastUsed, applied.length / 2, ...applied);
    }
    const bytes = new Uint8Array(numbers.length * 8);
    const view = new DataView(bytes.buffer);
    numbers.forEach((number, i) => {
      view.setFloat64(i * 8, number, true);
    });
    return bytes;
  }

  /**
   * Replaces the table by an encoded one.
   * @throws PaxosError `KHONSU_STORAGE_CORRUPT` if the bytes are not a table, `KHONSU_INVALID_OPTION` if its limits differ.
   */
  decode(bytes: Uint8Array): void {
    const numbers = new NumberReader(bytes);
    const [window, limit] = [numbers.next(), numbers.next()];
    if (window !== this.window || limit !== this.limit) {
      throw new PaxosError(
        "KHONSU_INVALID_OPTION",
        `Cannot use sessionWindow ${this.window} and sessionsMax ${this.limit}: the group uses ${window} and ${limit}`,
      );
    }
    this.sessions.clear();
    this.recent = undefined;
    for (let remaining = numbers.next(); remaining > 0; remaining--) {
      const session = this.open(numbers.next());
      session.max = numbers.next();
      session.lastUsed = numbers.next();
      for (let applied = numbers.next(); applied > 0; applied--) {
        const sequence = numbers.next();
        session.slots[sequence % this.window] = numbers.next();
      }
    }
  }
}

class NumberReader {
  private readonly view: DataView;
  private offset = 0;

  constructor(bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  next(): number {
    if (this.offset + 8 > this.view.byteLength) {
      throw new PaxosError("KHONSU_STORAGE_CORRUPT", "Cannot read the preface of an image: it ends too soon");
    }
    const number = this.view.getFloat64(this.offset, true);
    this.offset += 8;
    return number;
  }
}
