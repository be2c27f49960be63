/**
 * One change of the directory: a function of the state and the command alone, so that all replicas of it agree (PL-3). What would
 * leave a group without a majority is refused (PL-5). Doing again what is done changes nothing.
 */
import { type Change, Refused } from "./change.ts";
import type { DirectoryCommand, DirectoryOutcome } from "./command.ts";
import { admit, remove, retire, setReplicas, update } from "./member-changes.ts";
import { beginMove, cancelMove, endMove } from "./move-changes.ts";
import type { DirectoryState } from "./state.ts";

export interface Applied {
  /** Undefined before the cluster is founded. */
  readonly state: DirectoryState | undefined;
  readonly outcome: DirectoryOutcome;
}

export function applyCommand(state: DirectoryState | undefined, command: DirectoryCommand): Applied {
  if (state === undefined) {
    if (command.kind === "found") return done(command.state);
    return refused(state, new Refused("KHONSU_NOT_FOUNDED", "The cluster is not founded yet"));
  }
  const changed = change(state, command);
  if (changed instanceof Refused) return refused(state, changed);
  return done(changed === state ? state : { ...changed, version: state.version + 1 });
}

function done(state: DirectoryState): Applied {
  return { state, outcome: { kind: "done", version: state.version } };
}

function refused(state: DirectoryState | undefined, { code, message }: Refused): Applied {
  const retryable = code === "KHONSU_NOT_FOUNDED" || code === "KHONSU_MOVE_REFUSED";
  return { state, outcome: { kind: "refused", refusal: { code, message, retryable } } };
}

function change(state: DirectoryState, command: DirectoryCommand): Change {
  switch (command.kind) {
    case "found":
      return state;
    case "admit":
      return admit(state, command.admission);
    case "update":
      return update(state, command);
    case "remove":
      return remove(state, command.node);
    case "retire":
      return retire(state, command.node);
    case "setReplicas":
      return setReplicas(state, command.replicas);
    case "beginMove":
      return beginMove(state, command.group, command.add, command.remove);
    case "endMove":
      return endMove(state, command.group, command.move);
    case "cancelMove":
      return cancelMove(state, command.group, command.add);
  }
}
