import fc from "fast-check";
import { expect, test } from "vitest";
import { Sessions, type SessionVerdict } from "./sessions.ts";
import { type Slot, slot } from "./slot.ts";

/** The obvious version: remembers everything, and forgets by rule. */
class Oracle {
  private readonly clients = new Map<number, { applied: Map<number, Slot>; max: number; lastUsed: number }>();
  private readonly window: number;
  private readonly limit: number;

  constructor(window: number, limit: number) {
    this.window = window;
    this.limit = limit;
  }

  apply(client: number, sequence: number, at: Slot): SessionVerdict {
    if (!this.clients.has(client) && this.clients.size >= this.limit) {
      const [oldest] = [...this.clients].sort(([, a], [, b]) => a.lastUsed - b.lastUsed);
      this.clients.delete(oldest![0]);
    }
    const session = this.clients.get(client) ?? { applied: new Map<number, Slot>(), max: 0, lastUsed: 0 };
    this.clients.set(client, session);
    session.lastUsed = at;
    if (sequence <= session.max - this.window) return "expired";
    const before = session.applied.get(sequence);
    if (before !== undefined) return before;
    session.applied.set(sequence, at);
    session.max = Math.max(session.max, sequence);
    return "new";
  }
}

const proposals = fc.array(
  fc.record({ client: fc.integer({ min: 1, max: 5 }), sequence: fc.integer({ min: 1, max: 30 }) }),
  {
    maxLength: 120,
  },
);

test("PX-15 the table says what a table that remembers everything says, also after an image", () => {
  fc.assert(
    fc.property(proposals, fc.nat(119), (list, imageAt) => {
      let sessions = new Sessions(8, 3);
      const oracle = new Oracle(8, 3);
      list.forEach(({ client, sequence }, i) => {
        const at = slot(i + 1);
        const looked = sessions.lookUp(client, sequence);
        const verdict = sessions.apply(client, sequence, at);
        expect(verdict).toBe(oracle.apply(client, sequence, at));
        if (verdict === "new") expect(sessions.lookUp(client, sequence)).toBe(at);
        if (looked !== "new") expect(verdict).toBe(looked);
        if (i === imageAt) {
          const image = sessions.encode();
          sessions = new Sessions(8, 3);
          sessions.decode(image);
          expect(sessions.encode()).toEqual(image);
        }
      });
    }),
  );
});

test("an image of a group with other limits, or cut short, is refused", () => {
  const sessions = new Sessions(8, 3);
  sessions.apply(1, 1, slot(1));
  const image = sessions.encode();
  expect(() => new Sessions(9, 3).decode(image)).toThrow(/sessionWindow 9/);
  expect(() => new Sessions(8, 3).decode(image.subarray(0, image.length - 8))).toThrow(/ends too soon/);
});
