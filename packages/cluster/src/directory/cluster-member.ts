/**
 * A node of a cluster whose members come and go: its record, the directory, its replicas, and, while it leads the directory, the mover.
 * Everything outside comes in through interfaces, so that a test owns clock, network and disk.
 */
import { ClusterNode } from "../cluster-node.ts";
import type { Consensus } from "../consensus.ts";
import { ClusterError } from "../errors.ts";
import { within } from "../pause.ts";
import type { ClusterMemberOptions } from "./cluster-member-options.ts";
import type { Admission } from "./command.ts";
import { type AskNode, Directory } from "./directory.ts";
import { DirectoryPlacement } from "./directory-placement.ts";
import { enrol } from "./enrolment.ts";
import { firstNews } from "./first-news.ts";
import { handOver } from "./hand-over.ts";
import { LeaderSurvey } from "./leader-survey.ts";
import { Mover } from "./mover.ts";
import { NodeRecordKeeper } from "./node-record.ts";
import { decodeQuestion, decodeReply, encodeQuestion, encodeReply, type Reply } from "./question.ts";
import { ReplicaKeeper } from "./replica-keeper.ts";
import { serveQuestion } from "./serve.ts";
import { DIRECTORY_GROUP, type DirectoryState } from "./state.ts";

export class ClusterMember {
  readonly node: ClusterNode;
  readonly directory: Directory;
  readonly record: NodeRecordKeeper;
  /** Who leads the shards that are elsewhere. */
  readonly leaders: LeaderSurvey;
  readonly #options: ClusterMemberOptions;
  readonly #keeper: ReplicaKeeper;
  readonly #self: Admission;
  #mover: Mover | undefined = undefined;
  #isStopping = false;
  #isClosed = false;

  /**
   * Reads who this node is. It takes part once `join` has been called; questions of others may be given to it from now on.
   * @throws ClusterError `KHONSU_IDENTITY_CORRUPT`, `KHONSU_IDENTITY_MISMATCH`
   */
  static async open(options: ClusterMemberOptions): Promise<ClusterMember> {
    const record = await NodeRecordKeeper.open(options.store, options.self.node, () => drawText(options));
    return new ClusterMember(options, record);
  }

  private constructor(options: ClusterMemberOptions, record: NodeRecordKeeper) {
    const { self, runtime, openConsensus, dropConsensus, pollMs, onProblem = () => {} } = options;
    this.#options = options;
    this.record = record;
    this.#self = { ...self, zone: self.zone, weight: self.weight ?? 1, nonce: record.current.nonce };
    this.directory = new Directory({ self: self.node, runtime, ask: this.#ask, pollMs });
    this.node = ClusterNode.start({
      ...options,
      self: self.node,
      placement: new DirectoryPlacement(this.directory),
    });
    this.leaders = new LeaderSurvey({
      self: self.node,
      directory: this.directory,
      runtime,
      ask: this.#ask,
    });
    this.#keeper = new ReplicaKeeper({
      self: self.node,
      node: this.node,
      directory: this.directory,
      record,
      runtime,
      openConsensus,
      dropConsensus,
      onProblem,
    });
  }

  /**
   * Becomes a member, or is one again, and opens the replicas that it knows it has.
   * @throws ClusterError as `enrol`; `KHONSU_MEMBER_RETIRED` if the cluster has let this node go.
   */
  async join(): Promise<void> {
    const { movesMax, onCluster, roundMs, runtime, seeds } = this.#options;
    this.directory.listen((state) => this.#onState(state));
    const isNew = this.record.current.cluster === undefined;
    // On the way back not even a founder goes by the founding: it may have left since.
    const enrolled = isNew ? await this.#enrol() : undefined;
    const { clusterId, incarnation } = this.record.current.cluster!;
    onCluster?.(clusterId, incarnation);
    if (enrolled !== undefined) this.directory.learn(enrolled);
    await this.#keeper.start();
    await firstNews({
      self: this.#self.node,
      nodes: [...seeds, ...Object.keys(this.record.current.addresses).map(Number)],
      clusterId,
      directory: this.directory,
      runtime,
      ask: this.#ask,
      isClosed: () => this.#isClosed,
    });
    if (this.isRetired) {
      const reason = "it has left the cluster: empty its disk to use its number again";
      throw new ClusterError("KHONSU_MEMBER_RETIRED", `Cannot start node ${this.#self.node}: ${reason}`);
    }
    this.#mover = new Mover({ directory: this.directory, runtime, ask: this.#ask, movesMax, roundMs });
    if (!isNew) void this.#tellAddress();
  }

  /** Whether the cluster has let this node go: it has no replicas any more, and may be stopped for good. */
  get isRetired(): boolean {
    const member = this.directory.state?.members.get(this.#self.node);
    return member?.state === "gone" && member.nonce === this.#self.nonce;
  }

  /** To be called with what other nodes ask (`askNode`). @throws ClusterError `KHONSU_DIRECTORY_MALFORMED` */
  async memberAsked(from: number, question: Uint8Array): Promise<Uint8Array> {
    return encodeReply(await this.#serve(from, decodeQuestion(question)));
  }

  /** The log of a group of which this node has a replica. */
  consensusOf(group: number): Consensus | undefined {
    return group === DIRECTORY_GROUP ? this.directory.consensus : this.node.replicaOf(group)?.consensus;
  }

  /** Before a planned stop: hands leadership of every group over to another replica, and takes none any more. */
  handOver(): Promise<void> {
    this.#isStopping = true;
    return handOver({
      self: this.#self.node,
      runtime: this.#options.runtime,
      groups: () => this.record.current.replicas.map(({ group }) => group),
      consensusOf: (group) => this.consensusOf(group),
      isClosed: () => this.#isClosed,
    });
  }

  /** Stops taking part, as a crash would. Logs are closed by whoever opened them. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.directory.close();
    this.leaders.close();
    this.#mover?.close();
    this.node.close();
    await this.#keeper.close();
  }

  readonly #ask: AskNode = (node, question) => {
    if (node === this.#self.node) return this.#serve(node, question);
    const { runtime, askNode, answerMs = 2000 } = this.#options;
    const late = () => {
      throw new Error(`node ${node} did not answer in time`);
    };
    return within(runtime, answerMs, askNode(node, encodeQuestion(question)).then(decodeReply), late);
  };

  async #serve(from: number, question: Parameters<typeof serveQuestion>[1]): Promise<Reply> {
    if (this.#isClosed) throw new Error("The node is closed");
    const { record, directory } = this;
    const consensusOf = (group: number) => this.consensusOf(group);
    const context = {
      self: this.#self,
      record,
      directory,
      consensusOf,
      ask: this.#ask,
      isStopping: this.#isStopping,
    };
    return serveQuestion(context, question, from);
  }

  #enrol(): Promise<DirectoryState> {
    const { founders, seeds, layout = {}, runtime } = this.#options;
    return enrol({
      self: this.#self,
      founders,
      seeds,
      layout,
      runtime,
      record: this.record,
      ask: this.#ask,
      drawId: () => drawText(this.#options),
      isClosed: () => this.#isClosed,
    });
  }

  #onState(state: DirectoryState): void {
    const members = [...state.members.values()].filter(({ state: is }) => is !== "gone");
    const addresses = Object.fromEntries(members.map(({ node, address }) => [`${node}`, address]));
    this.#options.onAddresses?.(new Map(members.map(({ node, address }) => [node, address])));
    const known = this.record.current.addresses;
    const isSame =
      Object.keys(known).length === members.length &&
      members.every(({ node, address }) => known[node] === address);
    if (isSame) return;
    this.record
      .change((current) => ({ ...current, addresses }))
      .catch((error) => this.#options.onProblem?.(DIRECTORY_GROUP, error));
  }

  /** Has the directory know where this node is now, and what it is configured to be. */
  async #tellAddress(): Promise<void> {
    while (!this.#isClosed && !this.isRetired) {
      try {
        return await this.directory.change({ kind: "admit", admission: this.#self });
      } catch (error) {
        if (error instanceof ClusterError && !error.retryable)
          return this.#options.onProblem?.(DIRECTORY_GROUP, error);
      }
    }
  }
}

/** 104 random bits. */
function drawText({ runtime }: ClusterMemberOptions): string {
  return Array.from({ length: 2 }, () =>
    Math.floor(runtime.random() * 2 ** 52)
      .toString(16)
      .padStart(13, "0"),
  ).join("");
}
