/**
 * Runs a scenario: text of the form directive, `----`, the full trace of what followed. Every directive acts on a cluster in one thread
 * whose messages and writes wait until a directive lets them go, so each step of a story is shown. Directives that let much happen at
 * once (`elect`, `run`) show what replicas do for their state machines and clients, not the messages.
 */

import { formatBallot } from "../src/ballot.ts";
import type { Configuration, MembershipChange } from "../src/configuration.ts";
import type { Effect } from "../src/effect.ts";
import type { Envelope, MessageKind } from "../src/message.ts";
import type { ReplicaOptions } from "../src/options.ts";
import { formatReplica, nodeOf, type ReplicaId, replicaId } from "../src/replica-id.ts";
import { NO_SLOT } from "../src/slot.ts";
import { Cluster, type Node, propose } from "./cluster.ts";
import { formatConfiguration, formatEffect, formatEntry, formatMessage } from "./format.ts";

export interface Block {
  /** Comment lines and the directive, as they stand. */
  readonly head: readonly string[];
  readonly directive: string;
  readonly expected: readonly string[];
}

/** Blocks are separated by empty lines. */
export function parseScenario(text: string): Block[] {
  return text
    .split(/\n{2,}/)
    .map((part) => part.split("\n").filter((line) => line !== ""))
    .filter((lines) => lines.some((line) => !line.startsWith("#")))
    .map((lines) => {
      const divider = lines.indexOf("----");
      const head = divider < 0 ? lines : lines.slice(0, divider);
      const directive = head.find((line) => !line.startsWith("#")) ?? "";
      return { head, directive, expected: divider < 0 ? [] : lines.slice(divider + 1) };
    });
}

export function printScenario(
  blocks: readonly (Block & { readonly actual: readonly string[] })[],
  title: string,
): string {
  const parts = blocks.map(({ head, actual }) => [...head, "----", ...actual].join("\n"));
  return `${title}\n\n${parts.join("\n\n")}\n`;
}

/** Options after the positional words of a directive: `key=value` or a bare word. */
interface Words {
  readonly positional: readonly string[];
  readonly named: ReadonlyMap<string, string>;
}

function parseWords(directive: string): Words {
  const tokens = directive.match(/"[^"]*"|\S+/g) ?? [];
  const named = new Map<string, string>();
  const positional: string[] = [];
  for (const token of tokens) {
    const [, key, value] = /^([a-zA-Z]+)=(.*)$/.exec(token) ?? [];
    if (key !== undefined && value !== undefined) named.set(key, value);
    else positional.push(token.replace(/^"|"$/g, ""));
  }
  return { positional, named };
}

function parseReplica(text: string): ReplicaId {
  const [node, incarnation] = text.split("#");
  return replicaId(Number(node), incarnation === undefined ? 1 : Number(incarnation));
}

const QUIET_KINDS = new Set<Effect["kind"]>(["persist", "send", "readChunk"]);

export class Scenario {
  private cluster = new Cluster();
  private trace: string[] = [];
  private quiet = false;
  private readonly hidden = new Set<MessageKind>(["ping", "pong"]);

  /** Carries out one directive and returns the trace of what followed. */
  run(directive: string): string[] {
    this.trace = [];
    const { named, positional } = parseWords(directive);
    const [verb, ...words] = positional;
    const action = this.actions[verb ?? ""];
    if (action === undefined) throw new Error(`Cannot run "${directive}": there is no directive ${verb}`);
    action(words, named);
    this.quiet = false;
    return this.trace;
  }

  private readonly actions: Record<string, (words: string[], named: ReadonlyMap<string, string>) => void> = {
    cluster: (_words, named) => this.found(named),
    show: (words) => {
      for (const kind of words) this.hidden.delete(kind as MessageKind);
    },
    elect: ([id]) => this.elect(this.id(id)),
    campaign: ([id]) => this.campaign(this.id(id)),
    propose: ([id, proposal, text], named) => {
      const [client, sequence] = (proposal ?? "").split("/").map(Number);
      if (named.has("repeat")) this.quiet = true;
      for (let i = 0; i < Number(named.get("repeat") ?? 1); i++) {
        const word = named.has("repeat") ? `${text}${i + 1}` : (text ?? "");
        propose(this.cluster, this.id(id), client!, sequence! + i, word);
      }
    },
    deliver: ([id], named) => this.deliver(id, named),
    drop: ([id], named) => {
      for (const index of this.matching(id, named).reverse()) this.cluster.network.splice(index, 1);
    },
    duplicate: ([id], named) => {
      const [index] = this.matching(id, named);
      this.cluster.network.push(this.cluster.network[index!]!);
    },
    network: () => {
      for (const envelope of this.cluster.network)
        if (this.isShown(envelope)) this.trace.push(this.describe(envelope));
    },
    pending: ([id]) => {
      for (const effect of this.cluster.node(this.id(id)).disk.pending) {
        for (const line of formatEffect(effect)) this.trace.push(`${id} ${line}`);
      }
    },
    flush: ([id, count]) => this.flush(this.id(id), Number(count ?? Number.POSITIVE_INFINITY)),
    tick: ([id, times]) => {
      for (let i = 0; i < Number(times ?? 1); i++) this.cluster.step(this.id(id), { kind: "tick" });
    },
    pause: ([id]) => {
      this.cluster.node(this.id(id)).up = false;
    },
    resume: ([id], named) => {
      this.cluster.node(this.id(id)).up = true;
      const ticks = Number(named.get("ticks") ?? 0);
      if (ticks > 0) this.cluster.step(this.id(id), { kind: "tick", ticks });
    },
    run: ([ticks]) => this.runTicks(Number(ticks)),
    stall: ([id]) => this.cluster.stalled.add(this.id(id)),
    unstall: ([id]) => this.cluster.stalled.delete(this.id(id)),
    crash: ([id], named) => this.cluster.crash(this.id(id), Number(named.get("kept") ?? 0)),
    restart: ([id], named) => this.restart(this.id(id), named.get("corrupt")),
    join: ([id]) => this.join(parseReplica(id ?? "")),
    cut: (words) => this.link(words, (link) => this.cluster.cut.add(link)),
    heal: () => this.cluster.cut.clear(),
    read: ([id, read]) => this.cluster.step(this.id(id), { kind: "readRequested", id: Number(read) }),
    transfer: ([id, to]) => this.cluster.step(this.id(id), { kind: "transferRequested", to: this.id(to) }),
    change: ([id, ...change]) =>
      this.cluster.step(this.id(id), { kind: "membershipRequested", change: this.parseChange(change) }),
    status: ([id]) => this.status(this.cluster.node(this.id(id))),
    log: ([id]) => this.log(this.cluster.node(this.id(id))),
    agreed: () => {
      this.trace.push(...this.cluster.agreed());
    },
  };

  private id(text: string | undefined): ReplicaId {
    const wanted = Number((text ?? "").split("#")[0]);
    const node = [...this.cluster.nodes.values()].find(({ id }) => nodeOf(id) === wanted);
    return node?.id ?? parseReplica(text ?? "");
  }

  private found(named: ReadonlyMap<string, string>): void {
    const list = (key: string): ReplicaId[] =>
      (named.get(key) ?? "").split(",").filter(Boolean).map(parseReplica);
    const voters = list("voters");
    const learners = list("learners").map((replica) => ({ replica, promote: false }));
    const sizes = named.get("quorums")?.split("/").map(Number);
    const quorums = sizes === undefined ? "majority" : { prepare: sizes[0]!, accept: sizes[1]! };
    const configuration: Configuration = { voters, learners, retired: [], quorums };
    this.cluster = new Cluster(optionsOf(named));
    this.quiet = true;
    this.cluster.onEffect = (node, effect) => this.onEffect(node, effect);
    this.cluster.onDeliver = (envelope) => {
      if (!this.quiet && this.isShown(envelope)) {
        const { from, message, to } = envelope;
        this.trace.push(`${formatReplica(to)} <- ${formatReplica(from)}  ${formatMessage(message)}`);
      }
    };
    const members = [...voters, ...learners.map(({ replica }) => replica)];
    for (const id of members) this.cluster.add(id, { kind: "found", configuration }, priorityOf(id, named));
    for (const id of members) this.cluster.flush(id);
  }

  private isShown({ message }: Envelope): boolean {
    return !this.hidden.has(message.kind);
  }

  private describe({ from, message, to }: Envelope): string {
    return `${formatReplica(from)} -> ${formatReplica(to)}  ${formatMessage(message)}`;
  }

  private onEffect(node: Node, effect: Effect): void {
    if (this.quiet && QUIET_KINDS.has(effect.kind)) return;
    if (effect.kind === "send" && !this.isShown(effect.envelope)) return;
    for (const line of formatEffect(effect)) this.trace.push(`${formatReplica(node.id)} ${line}`);
  }

  /** Has a replica take over at once, as if the leader that it follows had handed over. */
  private campaign(id: ReplicaId): void {
    const { configuration, promised } = this.cluster.node(id).replica.status();
    const from = configuration?.voters.find((voter) => voter !== id) ?? id;
    const message = { kind: "takeOver", ballot: promised, through: NO_SLOT } as const;
    this.cluster.step(id, { kind: "received", from, to: id, message });
  }

  private elect(id: ReplicaId): void {
    this.quiet = true;
    this.campaign(id);
    this.cluster.settle();
    for (let ticks = 0; ticks < 4; ticks++) this.cluster.tick();
    if (this.cluster.node(id).replica.status().role !== "leader")
      throw new Error(`${formatReplica(id)} does not lead`);
  }

  private runTicks(ticks: number): void {
    this.quiet = true;
    this.cluster.tick(ticks);
  }

  private matching(id: string | undefined, named: ReadonlyMap<string, string>): number[] {
    const [from, kind] = [named.get("from"), named.get("kind")];
    const found = this.cluster.network.flatMap((envelope, index) => {
      const matches =
        (id === undefined || id === "all" || nodeOf(envelope.to) === Number(id)) &&
        (from === undefined || nodeOf(envelope.from) === Number(from)) &&
        (kind === undefined ? this.isShown(envelope) : envelope.message.kind === kind);
      return matches ? [index] : [];
    });
    if (found.length === 0) throw new Error(`no message to ${id} from ${from} of kind ${kind}`);
    const limit = named.get("count") === "all" ? found.length : Number(named.get("count") ?? 1);
    return found.slice(0, limit);
  }

  private deliver(id: string | undefined, named: ReadonlyMap<string, string>): void {
    const envelopes = this.matching(id, named).map((index) => this.cluster.network[index]!);
    for (const envelope of envelopes) this.cluster.deliver(this.cluster.network.indexOf(envelope));
  }

  private flush(id: ReplicaId, count: number): void {
    const { disk } = this.cluster.node(id);
    for (let i = 0; i < count && disk.pending.length > 0; i++) {
      const effect = disk.pending[0]!;
      this.trace.push(`${formatReplica(id)} write ${effect.write} is durable`);
      for (const envelope of effect.release) {
        if (this.isShown(envelope))
          this.trace.push(
            `${formatReplica(id)} -> ${formatReplica(envelope.to)}  ${formatMessage(envelope.message)}`,
          );
      }
      this.cluster.flush(id, 1);
    }
  }

  private restart(id: ReplicaId, corrupt: string | undefined): void {
    const slots = (corrupt ?? "").split(",").filter(Boolean).map(Number);
    this.cluster.restart(id, {}, (recovered) => ({
      ...recovered,
      entries: recovered.entries.map((item) =>
        slots.includes(item.slot) ? { ...item, entry: undefined } : item,
      ),
    }));
  }

  private join(id: ReplicaId): void {
    for (const former of this.cluster.nodes.keys())
      if (nodeOf(former) === nodeOf(id)) this.cluster.nodes.delete(former);
    this.cluster.add(id, { kind: "join" });
  }

  private link(words: readonly string[], act: (link: string) => void): void {
    for (const word of words) {
      const [, from, direction, to] = /^(\d+)([->])(\d+)$/.exec(word) ?? [];
      act(`${from}>${to}`);
      if (direction === "-") act(`${to}>${from}`);
    }
  }

  private parseChange([kind, replica, flag]: readonly string[]): MembershipChange {
    const target = parseReplica(replica ?? "1");
    if (kind === "add") return { kind, replica: target, promote: flag === "promote" };
    if (kind === "promote" || kind === "remove") return { kind, replica: target };
    throw new Error(`no change ${kind}`);
  }

  private status({ id, replica }: Node): void {
    const { applied, configuration, decided, doubtful, leader, promised, role } = replica.status();
    const doubt = doubtful.length === 0 ? "" : ` doubtful=${doubtful.join(",")}`;
    const name = leader === undefined ? "nobody" : formatReplica(leader);
    this.trace.push(
      `${formatReplica(id)} ${role} leader=${name} promised=${formatBallot(promised)} decided=${decided} applied=${applied}${doubt}`,
    );
    if (configuration !== undefined)
      this.trace.push(`${formatReplica(id)} ${formatConfiguration(configuration)}`);
  }

  /** What is durable, slot by slot. */
  private log({ id }: Node): void {
    const { decided, entries, promised } = this.cluster.recovered(id);
    this.trace.push(`${formatReplica(id)} promised=${formatBallot(promised)} decided=${decided}`);
    for (const { ballot, entry, slot } of entries) {
      this.trace.push(
        `${formatReplica(id)} ${slot}@${formatBallot(ballot)} ${entry === undefined ? "?" : formatEntry(entry)}`,
      );
    }
  }
}

function optionsOf(named: ReadonlyMap<string, string>): Partial<ReplicaOptions> {
  const reserved = new Set(["voters", "learners", "quorums", "priorities", "lease"]);
  const options = [...named]
    .filter(([key]) => !reserved.has(key))
    .map(([key, value]) => [key, Number(value)]);
  const leaseTicks = Number(named.get("lease") ?? 0);
  return { ...Object.fromEntries(options), lease: { leaseTicks } };
}

function priorityOf(id: ReplicaId, named: ReadonlyMap<string, string>): Partial<ReplicaOptions> {
  const priorities = (named.get("priorities") ?? "").split(",").map((pair) => pair.split(":").map(Number));
  return { priority: priorities.find(([node]) => node === nodeOf(id))?.[1] ?? 0 };
}
