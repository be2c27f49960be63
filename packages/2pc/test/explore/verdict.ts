/** What must hold in every state of the world, by all that ever happened in it. */
import type { ParticipantId, TransactionId } from "../../src/transaction-id.ts";
import type { ModelVote, ParticipantState } from "./participant-model.ts";

/** TP-1, TP-6, TP-7, TP-9 over all participants. */
export function agreementProblem(
  id: TransactionId,
  participants: readonly ParticipantState[],
  votes: readonly ModelVote[],
): string | undefined {
  const home = participants[id.home]!;
  const value = Math.max(...votes.map((vote) => (vote.kind === "yes" ? vote.value : 0)));
  for (const [number, { everInstalled }] of participants.entries()) {
    if (everInstalled === undefined) continue;
    if (participants.some(({ everPrepared }) => !everPrepared))
      return `TP-7: ${number} installed without all votes`;
    if (participants.some(({ everAborted }) => everAborted))
      return `TP-1: ${number} installed what another aborted`;
    if (home.everInstalled === undefined) return `TP-6: ${number} installed before home decided`;
    if (everInstalled !== value) return `TP-7: ${number} installed ${everInstalled} instead of ${value}`;
  }
  return retentionProblem(id, participants);
}

/** TP-9: home forgets a participant's need of a commit only once that participant has applied it. */
function retentionProblem(id: TransactionId, participants: readonly ParticipantState[]): string | undefined {
  const home = participants[id.home]!;
  if (home.everInstalled === undefined) return undefined;
  const entry = home.table.entries[0];
  const stillNeeded = entry?.state === "committed" ? entry.unacknowledged : [];
  const missing = (number: ParticipantId) => participants[number]!.everInstalled === undefined;
  const lost = participants.findIndex((_, number) => missing(number) && !stillNeeded.includes(number));
  return lost < 0 ? undefined : `TP-9: home dropped ${lost}, which has not applied the commit`;
}

/** TP-8: the client was told only what home's log held. */
export function reportProblem(
  participants: readonly ParticipantState[],
  reports: readonly string[],
): string | undefined {
  const home = participants[0]!;
  if (reports.includes("committed") && home.everInstalled === undefined)
    return "TP-8: a commit was reported that is not at home";
  if (reports.includes("aborted") && !home.everAborted)
    return "TP-8: an abort was reported that is not at home";
  return undefined;
}
