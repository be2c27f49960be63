/**
 * `@khonsu/paxos` alone: proposals decided a second by three replicas in one thread, where messages arrive and writes are durable at
 * once. What is left is the state machine: checksums, both phases, delivery. Also messages per decided entry; with two followers
 * the least is four a batch (two accepts, two answers), since the decided index travels with the next accept.
 */
import {
  type Configuration,
  crc32c,
  type Effect,
  EMPTY_DISK,
  type Envelope,
  type Input,
  type Proposal,
  Replica,
  type ReplicaId,
  replicaId,
} from "@khonsu/paxos";
import { type BenchCase, compare } from "../compare.ts";
import type { SuiteResult } from "../report/row.ts";
import type { SuiteOptions } from "./index.ts";

const IDS = [1, 2, 3].map((node) => replicaId(node));
const CONFIGURATION: Configuration = { voters: IDS, learners: [], retired: [], quorums: "majority" };
/** Batches proposed before messages are delivered: the pipeline. */
const DEPTH = 4;

interface Case {
  readonly batch: number;
  readonly bytes: number;
}

const CASES: readonly Case[] = [1, 16, 256].flatMap((batch) =>
  [100, 1024].map((bytes) => ({ batch, bytes })),
);

export async function paxos({ quick, progress }: SuiteOptions): Promise<SuiteResult> {
  const messages = new Map<Case, number>();
  const cases = CASES.map((each): BenchCase => {
    const operations = (quick ? 40_000 : 200_000) / (each.batch === 1 ? 4 : 1);
    const run = (total: number) => void messages.set(each, decide(each, total));
    return {
      name: `batches of ${each.batch}, ${each.bytes} B a command`,
      operations,
      slice: operations,
      subjects: [{ name: "khonsu paxos, three replicas in one thread", prepare: () => ({ run }) }],
    };
  });
  const rows = await compare(cases, { suite: "paxos", rounds: quick ? 3 : 9, progress });
  const details = CASES.map((each) => ({
    batch: each.batch,
    "command bytes": each.bytes,
    "messages/entry": Number(messages.get(each)!.toFixed(4)),
  }));
  return { rows, details };
}

/** Decides `total` commands and returns how many messages each took. */
function decide({ batch, bytes }: Case, total: number): number {
  const trio = new Trio();
  const command = new Uint8Array(bytes).fill(0x61);
  const before = trio.messages;
  for (let sequence = 1; sequence <= total; ) {
    for (let depth = 0; depth < DEPTH && sequence <= total; depth++) {
      const proposals: Proposal[] = [];
      for (let i = 0; i < batch && sequence <= total; i++)
        proposals.push({ client: 1, sequence: sequence++, command });
      trio.propose(proposals);
    }
    trio.settle();
  }
  if (trio.applied !== total)
    throw new Error(`${trio.applied} of ${total} commands were applied at the leader`);
  return (trio.messages - before) / total;
}

/** Three replicas, one of which leads. */
class Trio {
  private readonly replicas = new Map<ReplicaId, Replica>();
  private readonly leader: ReplicaId;
  private queue: Envelope[] = [];
  private head = 0;
  messages = 0;
  /** Commands applied by the leader. */
  applied = 0;

  constructor() {
    for (const self of IDS) {
      const start = { kind: "found", configuration: CONFIGURATION } as const;
      this.replicas.set(self, new Replica({ self, start, seed: self % 31 }, EMPTY_DISK));
    }
    this.leader = IDS[0]!;
    for (const [id, replica] of this.replicas) this.carryOut(id, replica.start());
    for (let ticks = 0; ticks < 50; ticks++) {
      for (const id of IDS) this.step(id, { kind: "tick" });
      this.settle();
    }
    const leader = IDS.find((id) => this.replicas.get(id)!.status().role === "leader");
    if (leader === undefined) throw new Error("nobody leads after 50 ticks");
    this.leader = leader;
  }

  propose(proposals: readonly Proposal[]): void {
    this.step(this.leader, { kind: "proposed", proposals });
  }

  /** Delivers until nothing is on its way. */
  settle(): void {
    while (this.head < this.queue.length) {
      const { from, message, to } = this.queue[this.head++]!;
      this.messages++;
      this.step(to, { kind: "received", from, to, message });
    }
    this.queue = [];
    this.head = 0;
  }

  private step(id: ReplicaId, input: Input): void {
    this.carryOut(id, this.replicas.get(id)!.step(input));
  }

  /** Carries out the effects of a step, then feeds the inputs that they lead to. */
  private carryOut(id: ReplicaId, effects: readonly Effect[]): void {
    const inputs: Input[] = [];
    for (const effect of effects) {
      if (effect.kind === "send") this.queue.push(effect.envelope);
      else if (effect.kind === "persist") {
        for (const envelope of effect.release) this.queue.push(envelope);
        inputs.push({ kind: "persisted", write: effect.write });
      } else if (effect.kind === "decided") {
        if (id !== this.leader) continue;
        for (const entry of effect.entries) if (entry.kind === "command") this.applied++;
      } else if (effect.kind === "takeCheckpoint") {
        const { preface, slot } = effect;
        inputs.push({ kind: "checkpointTaken", slot, size: preface.length, checksum: crc32c(preface) });
      }
    }
    for (const input of inputs) this.step(id, input);
  }
}
