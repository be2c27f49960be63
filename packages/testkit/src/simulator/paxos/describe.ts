// Inputs and effects of replicas as trace lines: short, with what one looks for when a protocol went wrong.

import {
  type Ballot,
  type Effect,
  type Entry,
  formatBallot,
  formatReplica,
  type Input,
  type Message,
} from "@khonsu/paxos";

export function describeInput(input: Input): string {
  switch (input.kind) {
    case "tick":
      return `tick ${input.ticks ?? 1}`;
    case "received":
      return `<- ${formatReplica(input.from)} ${describeMessage(input.message)}`;
    case "proposed":
      return `proposed ${input.proposals.map(({ client, sequence }) => `${client}.${sequence}`).join(" ")}`;
    default:
      return describePlain(input);
  }
}

export function describeEffect(effect: Effect): string {
  switch (effect.kind) {
    case "persist": {
      const records = effect.records.map((record) => describePlain(record)).join("; ");
      const release = effect.release
        .map(({ to, message }) => `${message.kind}->${formatReplica(to)}`)
        .join(" ");
      return `persist ${effect.write} [${records}] release [${release}]`;
    }
    case "send":
      return `-> ${formatReplica(effect.envelope.to)} ${describeMessage(effect.envelope.message)}`;
    case "decided":
      return `decided ${effect.first} ${effect.entries.map((entry) => describeEntry(entry)).join(" ")}`;
    default:
      return describePlain(effect);
  }
}

export function describeMessage(message: Message): string {
  return describePlain(message);
}

function describePlain(value: { readonly kind: string }): string {
  const { kind, ...rest } = value;
  const fields = Object.entries(rest).map(([name, field]) => `${name}=${describeValue(name, field)}`);
  return [kind, ...fields].join(" ");
}

function describeValue(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length}B`;
  if (typeof value === "number" && /^(replica|from|to|leader|voter|retired)$/.test(name) && value > 2 ** 32)
    return formatReplica(value as never);
  if (Array.isArray(value)) {
    const shown = value
      .slice(0, 6)
      .map((item) => describeValue(/s$/.test(name) ? name.slice(0, -1) : name, item));
    return `[${shown.join(" ")}${value.length > 6 ? ` … ${value.length} in all` : ""}]`;
  }
  if (typeof value !== "object" || value === null) return String(value);
  if (isBallot(value)) return formatBallot(value);
  if (isEntry(value)) return describeEntry(value);
  const fields = Object.entries(value).map(([field, part]) => `${field}=${describeValue(field, part)}`);
  return `{${fields.join(" ")}}`;
}

function describeEntry(
  entry: Entry | { readonly kind: "duplicate"; readonly client: number; readonly sequence: number },
): string {
  if (entry.kind === "command") return `${entry.client}.${entry.sequence}`;
  if (entry.kind === "duplicate") return `dup:${entry.client}.${entry.sequence}`;
  if (entry.kind === "noop") return "no-op";
  const { voters, learners } = entry.configuration;
  return `membership(${voters.map(formatReplica).join(",")};${learners.map(({ replica }) => formatReplica(replica)).join(",")})`;
}

function isBallot(value: object): value is Ballot {
  return "round" in value && "priority" in value && "replica" in value;
}

function isEntry(value: object): value is Entry {
  return "kind" in value && "checksum" in value;
}
