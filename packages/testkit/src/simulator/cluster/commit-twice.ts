// A client that has lost its node before the answer came sends its commit again: the same bytes under the same id, through another node,
// while the first may still be at work. Both are told the same, if they are told anything (TX-1, TX-31).

import type { CommitCoordinator, CommitResult } from "@khonsu/cluster";
import { ensure } from "../failure.ts";

export interface SecondCommit {
  /** The coordinators of another node, when the time has come; undefined if it does not run then. */
  readonly through: () => Promise<CommitCoordinator | undefined>;
  /** Is told of two answers that contradict each other. */
  readonly observe: (check: () => void) => void;
}

export function committingTwice(
  first: CommitCoordinator,
  { through, observe }: SecondCommit,
): CommitCoordinator {
  return {
    recover: (id, participants) => first.recover(id, participants),
    commit: async (id, requests) => {
      const answer = first.commit(id, requests);
      const again = through().then((second) => second?.commit(id, requests));
      Promise.all([answer, again])
        .then(([one, other]) => observe(() => compare(one, other)))
        .catch(() => {}); // noted by who observes
      const known = again.then((other) => (isKnown(other) ? other : answer));
      return Promise.race([answer.then((one) => (isKnown(one) ? one : known)), known]);
    },
  };
}

function isKnown(result: CommitResult | undefined): result is CommitResult {
  return result?.kind === "committed" || result?.kind === "aborted";
}

function compare(one: CommitResult, other: CommitResult | undefined): void {
  if (!isKnown(one) || !isKnown(other)) return;
  ensure(
    told(one) === told(other),
    "told-differently",
    () => `one was told ${told(one)}, the other ${told(other)}`,
  );
}

function told(result: CommitResult): string {
  return result.kind === "committed" ? `committed at ${result.value.timestamp}` : result.kind;
}
