/** Messages, records and effects as the one-line texts of scenario traces. */
import { formatBallot } from "../src/ballot.ts";
import type { Configuration } from "../src/configuration.ts";
import type { DurableRecord } from "../src/durable-record.ts";
import type { Effect } from "../src/effect.ts";
import type { DecidedEntry, Entry } from "../src/entry.ts";
import type { Message } from "../src/message.ts";
import { formatReplica, type ReplicaId } from "../src/replica-id.ts";

export const names = (replicas: readonly ReplicaId[]): string => replicas.map(formatReplica).join(",");

export function formatConfiguration({ voters, learners, quorums, retired }: Configuration): string {
  const parts = [`voters=${names(voters)}`];
  if (learners.length > 0) {
    parts.push(
      `learners=${learners.map(({ replica, promote }) => formatReplica(replica) + (promote ? "+" : "")).join(",")}`,
    );
  }
  if (retired.length > 0) parts.push(`retired=${names(retired)}`);
  if (quorums !== "majority") parts.push(`quorums=${quorums.prepare}/${quorums.accept}`);
  return parts.join(" ");
}

export function formatEntry(entry: Entry | DecidedEntry): string {
  switch (entry.kind) {
    case "command":
      return `"${Buffer.from(entry.command).toString()}"`;
    case "noop":
      return "no-op";
    case "membership":
      return `[${formatConfiguration(entry.configuration)}]`;
    case "duplicate":
      return `duplicate of ${entry.appliedAt}`;
  }
}

export const formatEntries = (entries: readonly (Entry | DecidedEntry)[]): string =>
  entries.length === 0 ? "-" : entries.map(formatEntry).join(" ");

export function formatMessage(message: Message): string {
  return `${message.kind} ${formatFields(message)}`.trimEnd();
}

function formatFields(message: Message): string {
  switch (message.kind) {
    case "ping":
    case "pong": {
      const { healthy, leading, decided, stalled } = message.standing;
      const flags = `${healthy ? " healthy" : ""}${stalled ? " stalled" : ""}`;
      return `round=${message.round} leading=${formatBallot(leading)} decided=${decided}${flags}`;
    }
    case "prepare":
      return `ballot=${formatBallot(message.ballot)} from=${message.from}${message.transfer ? " transfer" : ""}`;
    case "promise": {
      const entries = message.entries.map(
        ({ slot, ballot, entry }) => ` ${slot}@${formatBallot(ballot)}=${formatEntry(entry)}`,
      );
      const doubt = message.doubtful.length === 0 ? "" : ` doubtful=${message.doubtful.join(",")}`;
      const more = message.through === 0 ? "" : ` through=${message.through}`;
      return `ballot=${formatBallot(message.ballot)} decided=${message.decided}${more}${entries.join("")}${doubt}`;
    }
    case "nack":
      return `ballot=${formatBallot(message.ballot)} promised=${formatBallot(message.promised)}`;
    case "accept": {
      const { ballot, decided, entries, first } = message;
      return `ballot=${formatBallot(ballot)} slot=${first} ${formatEntries(entries)} decided=${decided}`;
    }
    case "accepted":
      return `ballot=${formatBallot(message.ballot)} through=${message.through} decided=${message.decided}`;
    case "confirm":
    case "confirmed":
      return `ballot=${formatBallot(message.ballot)} sequence=${message.sequence}`;
    case "readRequest":
      return "";
    case "readResponse":
      return `index=${message.index}`;
    case "fetch":
      return `from=${message.from} through=${message.through}`;
    case "learn":
      return `slot=${message.first} ${formatEntries(message.entries)} decided=${message.decided}`;
    case "checkpointOffer":
      return `checkpoint=${message.checkpoint.slot} decided=${message.decided}`;
    case "fetchChunk":
      return `checkpoint=${message.slot} offset=${message.offset}`;
    case "chunk":
      return `checkpoint=${message.checkpoint.slot} offset=${message.offset} bytes=${message.bytes.length}`;
    case "forward":
      return message.proposals.map(({ command }) => `"${Buffer.from(command).toString()}"`).join(" ");
    case "forwardRefused":
      return `${message.code} proposals=${message.proposals.length}`;
    case "takeOver":
      return `ballot=${formatBallot(message.ballot)} through=${message.through}`;
    case "retired":
      return "";
  }
}

export function formatRecord(record: DurableRecord): string {
  switch (record.kind) {
    case "identity":
      return `identity ${formatReplica(record.replica)} run=${record.run}`;
    case "promised":
      return `promised ${formatBallot(record.ballot)}`;
    case "accepted":
      return `accepted ${formatBallot(record.ballot)} slot=${record.first} ${formatEntries(record.entries)}`;
    case "learned":
      return `learned slot=${record.first} ${formatEntries(record.entries)}`;
    case "decided":
      return `decided ${record.slot}`;
    case "chunk":
      return `chunk checkpoint=${record.checkpoint.slot} offset=${record.offset} bytes=${record.bytes.length}`;
    case "checkpoint":
      return `checkpoint ${record.checkpoint.slot} trimmed=${record.trimmed}`;
    case "trimmed":
      return `trimmed ${record.slot}`;
  }
}

/** One line per thing that an effect does, without the replica's name before it. */
export function formatEffect(effect: Effect): string[] {
  switch (effect.kind) {
    case "persist": {
      const records = effect.records.length === 0 ? "nothing" : effect.records.map(formatRecord).join("; ");
      const held = effect.release.map(
        ({ to, message }) =>
          `holds for ${formatReplica(to)} until write ${effect.write}: ${formatMessage(message)}`,
      );
      return [`write ${effect.write}: ${records}`, ...held];
    }
    case "send":
      return [`-> ${formatReplica(effect.envelope.to)}  ${formatMessage(effect.envelope.message)}`];
    case "decided":
      return [`applies slot=${effect.first} ${formatEntries(effect.entries)}`];
    case "alreadyDecided":
      return [`answers ${effect.proposal.client}/${effect.proposal.sequence}: decided at ${effect.slot}`];
    case "proposalRefused":
      return [`refuses ${effect.proposal.client}/${effect.proposal.sequence}: ${effect.refusal.code}`];
    case "readReady":
      return [`serves read ${effect.id} at ${effect.index}`];
    case "readRefused":
      return [`refuses read ${effect.id}: ${effect.refusal.code}`];
    case "leaderChanged":
      return [
        `follows ${effect.leader === undefined ? "nobody" : formatReplica(effect.leader)} at ${formatBallot(effect.ballot)}`,
      ];
    case "transferRefused":
      return [`refuses transfer to ${formatReplica(effect.to)}: ${effect.refusal.code}`];
    case "membershipRefused":
      return [`refuses ${effect.change.kind}: ${effect.refusal.code}`];
    case "configured":
      return [`configured at ${effect.slot}: ${formatConfiguration(effect.configuration)}`];
    case "takeCheckpoint":
      return [`takes checkpoint ${effect.slot}`];
    case "readChunk":
      return [`reads image ${effect.slot} offset=${effect.offset}`];
    case "restore":
      return [`restores image ${effect.checkpoint.slot}`];
    case "retired":
      return ["is retired"];
    case "fenced":
      return [`fenced: ${effect.code}`];
  }
}
