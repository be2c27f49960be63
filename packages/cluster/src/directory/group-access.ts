/** Asks the nodes that have replicas of a group about it, and its leader to change it. Who does not answer has nothing to say. */
import type { AskNode } from "./directory.ts";
import type { GroupChange, GroupView } from "./question.ts";
import { type GroupRecord, replicasIn } from "./state.ts";

/** What the leader of a group says of it. */
export interface Led {
  readonly leader: number;
  readonly view: GroupView;
}

export class GroupAccess {
  readonly #ask: AskNode;

  constructor(ask: AskNode) {
    this.#ask = ask;
  }

  /** What the leader of a group says of it; undefined if none was found. Two may say so, of whom one is late. */
  async inspect(record: GroupRecord): Promise<Led | undefined> {
    const nodes = replicasIn(record).map(({ node }) => node);
    const views = await Promise.all(
      nodes.map(async (node) => ({ leader: node, view: await this.view(node, record.group) })),
    );
    for (const { leader, view } of views) if (view?.isLeader) return { leader, view };
    return undefined;
  }

  /** What a node says of its replica of a group; undefined if it has none, or cannot be reached. */
  async view(node: number, group: number): Promise<GroupView | undefined> {
    try {
      const reply = await this.#ask(node, { kind: "inspect", group });
      return reply.kind === "group" ? reply : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether the leader has made the change. If not, it may come all the same: look again. */
  async change(group: number, leader: number, change: GroupChange): Promise<boolean> {
    try {
      return (await this.#ask(leader, { kind: "changeGroup", group, change })).kind === "groupChanged";
    } catch {
      return false;
    }
  }
}
