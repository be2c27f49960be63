/** A node that is back learns of the directory: it asks those whom it knows until one tells it, since keys cannot be placed before. */
import type { Runtime } from "@khonsu/core";
import { jittered, pause } from "../pause.ts";
import type { AskNode, Directory } from "./directory.ts";

/** How long it waits between two rounds, about, in milliseconds. */
const ROUND_MS = 200;

export interface FirstNewsOptions {
  readonly self: number;
  /** Who may know; repeated or this node itself does no harm. */
  readonly nodes: readonly number[];
  /** What others say of another cluster is not believed. */
  readonly clusterId: string;
  readonly directory: Pick<Directory, "learn" | "state">;
  readonly runtime: Runtime;
  readonly ask: AskNode;
  readonly isClosed: () => boolean;
}

/** Resolves once the directory has a state, from here or from elsewhere, or the node is closed. */
export async function firstNews(options: FirstNewsOptions): Promise<void> {
  const { ask, clusterId, directory, isClosed, runtime, self } = options;
  const nodes = [...new Set(options.nodes)].filter((node) => node !== self);
  while (directory.state === undefined && !isClosed()) {
    for (const node of nodes) {
      const reply = await ask(node, { kind: "fetch", after: 0 }).catch(() => undefined);
      if (reply?.kind === "state" && reply.state.clusterId === clusterId) directory.learn(reply.state);
    }
    if (directory.state === undefined) await pause(runtime, jittered(runtime, ROUND_MS));
  }
}
