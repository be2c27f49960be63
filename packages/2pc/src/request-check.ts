/**
 * Whether a request makes sense at a participant, to be asked before it goes into a log: once a record is there, every
 * replica has to apply it. What passes here and is still impossible (TP-6) is a fault of a coordinator.
 */
import type { Request } from "./message.ts";
import {
  checkTransactionId,
  formatTransactionId,
  type ParticipantId,
  type Timestamp,
  type TransactionId,
} from "./transaction-id.ts";

/**
 * @throws RangeError if the id is malformed, the participants are not ascending or do not include home and
 * `self`, or a request that is for home or not for home came to the wrong one
 */
export function checkRequest(self: ParticipantId, request: Request<unknown, unknown, unknown>): void {
  const { id } = request;
  checkTransactionId(id);
  const atHome = id.home === self;
  switch (request.kind) {
    case "prepare":
      checkParticipants(id, request.participants);
      if (!request.participants.includes(self)) refuse(request, `${self} is none of its participants`);
      if (atHome) refuse(request, "home votes last, and commits at once");
      return;
    case "commit":
      checkParticipants(id, request.participants);
      if (!atHome) refuse(request, `it is for home, and this is ${self}`);
      return;
    case "acknowledge":
      if (!atHome) refuse(request, `it is for home, and this is ${self}`);
      return;
    case "decide":
      if (atHome && request.outcome.kind === "expired") refuse(request, "home decides commit or abort");
      return;
    case "inquire":
      return;
  }
}

/** @throws RangeError if participants are not ascending integers of 0 or more that include home */
export function checkParticipants(id: TransactionId, participants: readonly ParticipantId[]): void {
  const ascending = participants.every((participant, index) => {
    const above = index === 0 ? -1 : participants[index - 1]!;
    return Number.isSafeInteger(participant) && participant > above;
  });
  if (ascending && participants.includes(id.home)) return;
  throw new RangeError(
    `Participants of ${formatTransactionId(id)} must be ascending integers with its home: they are ${participants.join(", ")}`,
  );
}

/** @throws RangeError if a floor is not a safe integer: one that is no number would let everything expired come back to life */
export function checkFloor(floor: Timestamp): void {
  if (!Number.isSafeInteger(floor)) throw new RangeError(`A floor is a safe integer: it is ${floor}`);
}

function refuse({ kind, id }: Request<unknown, unknown, unknown>, why: string): never {
  throw new RangeError(`Cannot ${kind} ${formatTransactionId(id)}: ${why}`);
}
