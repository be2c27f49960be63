import { expect, test } from "vitest";
import { Acceptor } from "./acceptor.ts";
import { type Ballot, compareBallots } from "./ballot.ts";
import type { Context } from "./context.ts";
import { sealCommand } from "./entry.ts";
import { Log } from "./log.ts";
import type { MessageOf } from "./message.ts";
import { resolveOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { replicaId } from "./replica-id.ts";
import { NO_SLOT, slot } from "./slot.ts";

const SELF = replicaId(1);
const LEADER = replicaId(2);
const ballot = (round: number): Ballot => ({ round, priority: 0, replica: LEADER });
const entry = (at: number, text: string) =>
  sealCommand({ client: 1, sequence: at, command: Buffer.from(text) }, slot(at));

/** Restarted from a disk that has slots 1 to 3 decided, and cannot read the first of them. */
function damagedAcceptor(): { acceptor: Acceptor; log: Log } {
  const log = new Log(NO_SLOT);
  const context: Context = {
    self: SELF,
    options: resolveOptions({ self: SELF, seed: 1, start: { kind: "restart" } }),
    outbox: new Outbox(SELF),
    log,
    now: 0,
  };
  for (const at of [2, 3]) log.set(slot(at), ballot(1), entry(at, "decided"));
  return { acceptor: new Acceptor(context, ballot(1), [], NO_SLOT, slot(3)), log };
}

function accept(acceptor: Acceptor, round: number, at: number, text: string): void {
  const message: MessageOf<"accept"> = {
    kind: "accept",
    ballot: ballot(round),
    first: slot(at),
    entries: [entry(at, text)],
    decided: NO_SLOT,
  };
  expect(acceptor.onAccept(LEADER, message, NO_SLOT)).toBe(true);
}

/** Whether a promise tells of slot `at` with a ballot above every other. */
const outranks = (acceptor: Acceptor, at: number): boolean =>
  acceptor
    .promiseFrom(slot(1), NO_SLOT)
    .entries.some((told) => told.slot === at && compareBallots(told.ballot, ballot(1e9)) > 0);

test("PX-14 an entry that is known to be decided outranks others' doubts, also once it was accepted anew", () => {
  const { acceptor } = damagedAcceptor();
  expect(acceptor.promiseFrom(slot(1), NO_SLOT).doubtful).toEqual([1]);
  expect([outranks(acceptor, 2), outranks(acceptor, 3)]).toEqual([true, true]);
  accept(acceptor, 2, 2, "decided");
  expect([outranks(acceptor, 2), outranks(acceptor, 3)]).toEqual([true, true]);
});

test("PX-1 it is not replaced by what a leader proposes that does not know of it, and that is no vote", () => {
  const { acceptor, log } = damagedAcceptor();
  accept(acceptor, 2, 2, "another");
  expect(log.entryAt(slot(2))).toEqual(entry(2, "decided"));
  expect([acceptor.through, outranks(acceptor, 2)]).toEqual([NO_SLOT, true]);
  accept(acceptor, 2, 1, "first");
  expect(acceptor.through).toBe(1);
});
