/** What each kind of message does, by the roles that it is for. A late, repeated or strange one is an ordinary case of its handler. */

import { compareBallots, sameBallot } from "./ballot.ts";
import type { MessageKind, MessageOf, Standing } from "./message.ts";
import type { ReplicaId } from "./replica-id.ts";
import type { Roles } from "./roles.ts";
import { slotAfter } from "./slot.ts";

export type MessageHandlers = {
  readonly [K in MessageKind]: (from: ReplicaId, message: MessageOf<K>) => void;
};

export function messageHandlers(roles: Roles): MessageHandlers {
  return { ...electionHandlers(roles), ...consensusHandlers(roles), ...serviceHandlers(roles) };
}

/** Who is there, who leads, who may lead. */
function electionHandlers(
  roles: Roles,
): Pick<MessageHandlers, "ping" | "pong" | "prepare" | "promise" | "nack" | "takeOver" | "retired"> {
  const { acceptor, admission, context, election, leadership, learner, lease } = roles;
  return {
    ping: (from, { round, standing }) => {
      onStanding(roles, from, standing);
      const { configuration } = learner;
      election.onPing(standing, { ballot: leadership.ballot, configuration, promised: acceptor.promised });
      context.outbox.send(from, { kind: "pong", round, standing: leadership.standing });
    },
    pong: (from, { round, standing }) => {
      onStanding(roles, from, standing);
      election.onPong(from, round, standing);
    },
    prepare: (from, message) => {
      election.noteBallot(message.ballot);
      if (!admission.admitted) return;
      if (lease.forbids(message.ballot) && !message.transfer) return;
      acceptor.onPrepare(from, message, learner.decided);
    },
    promise: (from, message) => leadership.onPromise(from, message),
    nack: (_from, message) => leadership.onNack(message),
    takeOver: (_from, message) => leadership.onTakeOver(message),
    retired: () => {
      admission.retire();
      leadership.resign();
    },
  };
}

function onStanding(roles: Roles, from: ReplicaId, standing: Standing): void {
  const { acceptor, admission, catchUp, chain, election, learner } = roles;
  election.onStanding(from, standing);
  catchUp.note(from, standing.decided);
  if (standing.leading.round > 0) admission.noteLeader(standing.decided);
  chain.compare(from, standing.decided, standing.chain);
  learner.decide(acceptor.decidedBy(standing.leading, standing.decided, learner.decided));
}

/** Phase 2, and whether the leader still leads. */
function consensusHandlers(
  roles: Roles,
): Pick<MessageHandlers, "accept" | "accepted" | "confirm" | "confirmed"> {
  const { acceptor, admission, catchUp, confirmation, context, election, leadership, lease } = roles;
  return {
    accept: (from, message) => {
      if (admission.admitted) onAccept(roles, from, message);
    },
    accepted: (from, message) => {
      const { leader } = leadership;
      catchUp.note(from, message.decided);
      if (leader !== undefined && sameBallot(message.ballot, leader.ballot)) leader.onAccepted(from, message);
    },
    confirm: (from, { ballot, sequence }) => {
      if (!admission.admitted) return;
      const { promised } = acceptor;
      if (compareBallots(ballot, promised) < 0)
        return context.outbox.send(from, { kind: "nack", ballot, promised });
      election.follow(ballot);
      lease.grant(ballot);
      context.outbox.send(from, { kind: "confirmed", ballot, sequence });
    },
    confirmed: (from, { ballot, sequence }) => {
      const { leader } = leadership;
      if (leader !== undefined && sameBallot(ballot, leader.ballot)) confirmation.onConfirmed(from, sequence);
    },
  };
}

function onAccept(roles: Roles, from: ReplicaId, message: MessageOf<"accept">): void {
  const { acceptor, catchUp, election, learner } = roles;
  const { decided } = learner;
  election.noteBallot(message.ballot);
  if (!acceptor.onAccept(from, message, decided)) return;
  election.follow(message.ballot);
  catchUp.note(from, message.decided);
  learner.decide(acceptor.decidedBy(message.ballot, message.decided, decided));
  acceptor.answerAccept(from, learner.decided);
}

/** Reads, catching up, and proposals of other replicas. */
function serviceHandlers(
  roles: Roles,
): Omit<
  MessageHandlers,
  keyof ReturnType<typeof electionHandlers> | keyof ReturnType<typeof consensusHandlers>
> {
  const { catchUp, checkpoints, context, images, leadership, learner, proposals, reads } = roles;
  return {
    readRequest: (from, { sequence }) => {
      if (leadership.leader !== undefined && !reads.isFull)
        reads.add({ kind: "remote", replica: from, sequence });
    },
    readResponse: (_from, { sequence, index }) => reads.onResponse(sequence, index),
    fetch: (from, message) => {
      const answer = catchUp.answer(message);
      if (answer !== undefined) context.outbox.send(from, answer);
      else checkpoints.offer(from);
    },
    learn: (from, message) => onLearn(roles, from, message),
    checkpointOffer: (from, { checkpoint, decided }) => {
      catchUp.note(from, decided);
      catchUp.onAnswer(from);
      if (checkpoint.slot <= learner.applied || learner.restoring) return;
      checkpoints.install(images.onOffer(from, checkpoint));
    },
    fetchChunk: (from, { slot, offset }) => checkpoints.onFetchChunk(from, slot, offset),
    chunk: (from, message) => checkpoints.install(images.onChunk(from, message)),
    forward: (from, message) => {
      if (leadership.leader !== undefined) proposals.onForward(from, message.proposals, leadership.leader);
    },
    forwardRefused: (_from, message) => proposals.onForwardRefused(message.proposals),
  };
}

function onLearn(roles: Roles, from: ReplicaId, message: MessageOf<"learn">): void {
  const { acceptor, catchUp, context, images, leadership, learner } = roles;
  catchUp.note(from, message.decided);
  catchUp.onAnswer(from);
  const { first, entries } = catchUp.missing(message);
  if (entries.length === 0) return;
  entries.forEach((entry, i) => {
    acceptor.learn(slotAfter(first, i), entry);
  });
  context.outbox.record({ kind: "learned", first, entries });
  learner.decide(slotAfter(first, entries.length - 1));
  learner.deliver();
  leadership.campaign?.touch();
  if (!catchUp.isBehind) images.stop();
  else catchUp.ask(from);
}
