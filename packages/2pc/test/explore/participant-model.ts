/**
 * A participant in the model: its table and a memory of all that ever happened there, which no floor takes away. Each
 * request is applied atomically, since a participant's log is.
 */
import type { Request } from "../../src/message.ts";
import type { TableCheckpoint } from "../../src/outcome-entry.ts";
import { OutcomeTable } from "../../src/outcome-table.ts";
import type { Status } from "../../src/status.ts";
import type { ParticipantId, TransactionId } from "../../src/transaction-id.ts";
import type { Vote } from "../../src/vote.ts";

/** In the model a request is nothing, a vote carries a number, and a reason is a text. */
export type ModelRequest = Request<null, number, string>;
export type ModelStatus = Status<number, string>;
export type ModelTable = OutcomeTable<null, number, string>;
export type ModelVote = Vote<number, string>;

export interface ParticipantState {
  readonly table: TableCheckpoint<null, number, string>;
  /** Whether it ever voted yes. */
  readonly everPrepared: boolean;
  /** The value that it installed. */
  readonly everInstalled: number | undefined;
  /** Whether it ever recorded an abort, by a vote or by a decision. */
  readonly everAborted: boolean;
  /** Whether the store holds something. */
  readonly holding: boolean;
}

export const FRESH: ParticipantState = {
  table: { floor: -1, entries: [] },
  everPrepared: false,
  everInstalled: undefined,
  everAborted: false,
  holding: false,
};

/** Applies a request, and checks all that can be checked at one participant. */
export function applyRequest(
  self: ParticipantId,
  vote: ModelVote,
  before: ParticipantState,
  request: ModelRequest,
): { readonly after: ParticipantState; readonly status: ModelStatus } {
  let certified = false;
  const certify = (_: null, __: TransactionId, votes: number | undefined): ModelVote => {
    certified = true;
    return vote.kind === "yes" ? { kind: "yes", value: Math.max(vote.value, votes ?? 0) } : vote;
  };
  const table = new OutcomeTable<null, number, string>(self, certify, before.table);
  if (request.kind === "inquire") return { after: before, status: table.statusOf(request.id) };
  const { status, change } = table.apply(request);
  const after: ParticipantState = {
    table: normalized(table.checkpoint()),
    everPrepared: before.everPrepared || change.kind === "hold" || change.kind === "install",
    everInstalled: change.kind === "install" ? change.value : before.everInstalled,
    everAborted: before.everAborted || status.kind === "aborted",
    holding: change.kind === "hold" || (before.holding && change.kind === "none"),
  };
  if (certified && before.table.floor >= request.id.birth)
    throw new Error("TP-5: an expired id was certified");
  if (certified && (before.everPrepared || before.everAborted))
    throw new Error("TP-4: an id was certified twice");
  if (change.kind === "install" && before.everInstalled !== undefined)
    throw new Error("TP-2: installed twice");
  if (change.kind === "free" && !before.holding) throw new Error("TP-2: freed what was not held");
  if (change.kind === "install" && request.kind !== "commit" && !before.holding) {
    throw new Error("TP-3: installed what was not held");
  }
  assertKept(before, after);
  return { after, status };
}

/** Raises the floor to the birth of the transaction. */
export function raiseFloor(
  self: ParticipantId,
  before: ParticipantState,
  id: TransactionId,
): ParticipantState {
  const table = new OutcomeTable<null, number, string>(self, neverAsked, before.table);
  table.raiseFloor(id.birth);
  const after = { ...before, table: table.checkpoint() };
  assertKept(before, after);
  return after;
}

export function tableOf(self: ParticipantId, { table }: ParticipantState): ModelTable {
  return new OutcomeTable<null, number, string>(self, neverAsked, table);
}

function neverAsked(): never {
  throw new Error("Nothing is certified here");
}

/** TP-2, TP-9: what is recorded stays or is forgotten as the rules say; what is held is what is prepared. */
function assertKept(before: ParticipantState, after: ParticipantState): void {
  const [old, next] = [before.table.entries[0], after.table.entries[0]];
  if (after.holding !== (next?.state === "prepared")) throw new Error("TP-9: held and prepared differ");
  if (old === undefined || next?.state === old.state) return;
  if (old.state === "prepared" && next === undefined)
    throw new Error("TP-9: a prepared transaction was forgotten");
  if (old.state !== "prepared" && next !== undefined) throw new Error("TP-2: a recorded outcome changed");
  if (next === undefined && after.table.floor < old.id.birth) {
    throw new Error("TP-9: an outcome was forgotten above the floor");
  }
}

/** Why something was aborted decides nothing; one reason for all keeps the states few. */
export function normalized<T>(value: T): T {
  return JSON.parse(JSON.stringify(value), (key, inner) => (key === "reason" ? NO_REASON : inner));
}

const NO_REASON = { kind: "timeout" };
