/**
 * How a node without a cluster comes to one (PL-8). Founders wait until all of them are there and none has a past; then the one with
 * the lowest number draws up the founding, keeps it on its disk, and the others fetch it from whoever has it. Everybody else, also a founder
 * whose disk was emptied, asks to be admitted by a cluster that exists.
 */
import type { Runtime } from "@khonsu/core";
import { ClusterError } from "../errors.ts";
import { jittered, pause } from "../pause.ts";
import type { Admission } from "./command.ts";
import { type AskNode, toError } from "./directory.ts";
import { type ClusterLayout, FIRST_INCARNATION, foundingState } from "./found.ts";
import type { NodeRecordKeeper, OpenedReplica } from "./node-record.ts";
import type { Reply } from "./question.ts";
import type { DirectoryState } from "./state.ts";

export interface EnrolmentOptions {
  readonly self: Admission;
  /** All founders, this node included, the same list on each; undefined for a node that joins. */
  readonly founders: readonly number[] | undefined;
  /** Other nodes that may be members. */
  readonly seeds: readonly number[];
  readonly layout: ClusterLayout;
  readonly record: NodeRecordKeeper;
  readonly runtime: Runtime;
  readonly ask: AskNode;
  /** A text that no cluster ever had. */
  readonly drawId: () => string;
  readonly isClosed: () => boolean;
}

type Greeting = Extract<Reply, { kind: "greeting" }>;

const AGAIN_MS = 200;

/**
 * Resolves with a state in which this node is a member, once the node's record says so.
 * @throws ClusterError `KHONSU_CLUSTER_MISMATCH`, `KHONSU_INVALID_OPTION`, or the code with which the cluster refused the node.
 */
export async function enrol(options: EnrolmentOptions): Promise<DirectoryState> {
  for (;;) {
    const state = await tryOnce(options);
    if (state !== undefined) return state;
    if (options.isClosed())
      throw new ClusterError("KHONSU_UNAVAILABLE", "The node was closed before it became a member");
    await pause(options.runtime, jittered(options.runtime, AGAIN_MS));
  }
}

async function tryOnce(options: EnrolmentOptions): Promise<DirectoryState | undefined> {
  const { self, founders, seeds } = options;
  const others = [...new Set([...seeds, ...(founders ?? [])])].filter((node) => node !== self.node);
  const greetings = (await Promise.all(others.map((node) => greet(options, node)))).filter(
    (each) => each !== undefined,
  );
  const clusters = new Set(greetings.map(({ clusterId }) => clusterId).filter((id) => id !== undefined));
  if (clusters.size > 1) {
    throw new ClusterError(
      "KHONSU_CLUSTER_MISMATCH",
      `Node ${self.node} was given members of several clusters: ${[...clusters].join(", ")}`,
    );
  }
  const founded = greetings.find(({ founding }) => founding !== undefined)?.founding;
  if (founded !== undefined) return becomeFounder(options, founded);
  for (const greeting of greetings) {
    if (greeting.clusterId === undefined) continue;
    const state = await join(options, greeting.self.node);
    if (state !== undefined) return state;
  }
  if (clusters.size > 0 || founders === undefined || Math.min(...founders) !== self.node) return undefined;
  const present = founders.flatMap((node) =>
    node === self.node ? [self] : greetings.map((each) => each.self).filter((each) => each.node === node),
  );
  if (present.length < founders.length) return undefined;
  return becomeFounder(options, foundingState(options.drawId(), present, options.layout));
}

async function greet({ ask, self }: EnrolmentOptions, node: number): Promise<Greeting | undefined> {
  try {
    const reply = await ask(node, { kind: "hello", node: self.node, nonce: self.nonce });
    return reply.kind === "greeting" && reply.self.node === node ? reply : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps the founding, together with the replicas that it gives this node: from then on it may vote in them. */
async function becomeFounder(
  { record, self }: EnrolmentOptions,
  founding: DirectoryState,
): Promise<DirectoryState> {
  const member = founding.members.get(self.node);
  if (member?.nonce !== self.nonce)
    throw new Error("Invariant PL-8: a founder is in the founding with its own nonce");
  const replicas = [...founding.groups.values()].flatMap(({ group, replicas: all }): OpenedReplica[] =>
    all
      .filter(({ node }) => node === self.node)
      .map(({ incarnation }) => ({ group, incarnation, isFounder: true, isOpened: false })),
  );
  const cluster = { clusterId: founding.clusterId, incarnation: member.incarnation };
  await record.change((current) => ({ ...current, cluster, founding, replicas, version: founding.version }));
  return founding;
}

/** Asks a member to be admitted; undefined if that cannot be told yet. */
async function join(
  { ask, self, record }: EnrolmentOptions,
  through: number,
): Promise<DirectoryState | undefined> {
  try {
    const reply = await ask(through, { kind: "join", admission: self });
    if (reply.kind === "refused" && !reply.refusal.retryable) throw toError(reply.refusal);
    if (reply.kind !== "outcome") return undefined;
    if (reply.outcome.kind === "refused") throw toError(reply.outcome.refusal);
    const fetched = await ask(through, { kind: "fetch", after: 0 });
    const state = fetched.kind === "state" ? fetched.state : undefined;
    const member = state?.members.get(self.node);
    if (state === undefined || member?.nonce !== self.nonce) return undefined;
    // A founder that comes late begins with the founding, which another founder has: it has votes, and could not join with them.
    if (member.incarnation === FIRST_INCARNATION) return undefined;
    const cluster = { clusterId: state.clusterId, incarnation: member.incarnation };
    await record.change((current) => ({ ...current, cluster }));
    return state;
  } catch (error) {
    if (error instanceof ClusterError && !error.retryable) throw error;
    return undefined;
  }
}
