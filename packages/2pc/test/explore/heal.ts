/**
 * TP-11: from any state, once messages arrive and every coordinator has died, recovery finishes all that is unfinished, and
 * the participants agree. Which message arrives when does not matter here: the exploration delivers late ones itself.
 */
import type { Task } from "../../src/coordinator-state.ts";
import { Recovery } from "../../src/recovery.ts";
import type { ParticipantId } from "../../src/transaction-id.ts";
import { begin, type ModelStep, step } from "./coordinator-model.ts";
import { applyRequest, type ModelVote, type ParticipantState, tableOf } from "./participant-model.ts";
import { agreementProblem } from "./verdict.ts";

const ROUNDS_MAX = 4;

/** What is still wrong after a few rounds of recovery, or undefined. */
export function heal(
  task: Task<null, number>,
  votes: readonly ModelVote[],
  before: readonly ParticipantState[],
): string | undefined {
  const participants = [...before];
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    for (const [number] of participants.entries()) {
      for (const rescued of rescues(number, participants[number]!))
        run({ ...task, participants: rescued }, votes, participants);
    }
  }
  const unfinished = participants.findIndex(({ table }) => {
    const entry = table.entries[0];
    return entry?.state === "prepared" || (entry?.state === "committed" && entry.unacknowledged.length > 0);
  });
  if (unfinished >= 0) return `TP-11: ${unfinished} is still unfinished after recovery`;
  const problem = agreementProblem(task.id, participants, votes);
  return problem === undefined ? undefined : `after recovery, ${problem}`;
}

function rescues(number: ParticipantId, state: ParticipantState): (readonly ParticipantId[])[] {
  const recovery = new Recovery(tableOf(number, state), { seed: 1, patienceTicks: 1 });
  return [...recovery.tick(), ...recovery.tick()].map(({ participants }) => participants);
}

/** Runs one recovery with every message delivered at once; when none is left and it still waits, its time is up. */
function run(task: Task<null, number>, votes: readonly ModelVote[], participants: ParticipantState[]): void {
  let { state, effects } = begin(task, "recovery");
  let timeouts = 0;
  while (state.phase !== "done" || effects.length > 0) {
    const answers: ModelStep[] = [];
    for (const effect of effects) {
      if (effect.kind !== "send") continue;
      const applied = applyRequest(effect.to, votes[effect.to]!, participants[effect.to]!, effect.request);
      participants[effect.to] = applied.after;
      const next = step(task, state, { kind: "answered", from: effect.to, status: applied.status });
      state = next.state;
      answers.push(next);
    }
    effects = answers.flatMap((answer) => answer.effects);
    if (effects.length === 0 && state.phase !== "done") {
      timeouts += 1;
      if (timeouts > ROUNDS_MAX) return;
      ({ state, effects } = step(task, state, { kind: "timedOut" }));
    }
  }
}
