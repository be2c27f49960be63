/** Embedding: `startNode` gives a handle like the embedded store's, over the whole cluster. */
import type { ProtocolRange } from "@khonsu/transport-connect";
import { resolveConfig } from "./config/load.ts";
import type { NodeConfigInput } from "./config/schema.ts";
import type { HttpRoute } from "./http-routes.ts";
import { KhonsuNode } from "./khonsu-node.ts";
import type { RunningNode } from "./running-node.ts";

export interface StartNodeOptions {
  /** Whether this node's metrics tell of the process as well. Default false: a process may have several nodes. */
  readonly isProcess?: boolean;
  /** Pages to be served beside `/status.json` and `/metrics`. Default: none. */
  readonly pages?: readonly HttpRoute[];
  /** The versions of the protocol between nodes that it speaks, for tests of upgrades. Default: all that this code speaks. */
  readonly peerProtocol?: ProtocolRange;
}

/**
 * Starts a node of a cluster. Resolves once it listens and takes part; `ready()` resolves once it serves, for which founders wait for
 * one another.
 *
 * @throws NodeError `KHONSU_CONFIG_INVALID`; TransportError `KHONSU_LISTEN_FAILED`, `KHONSU_TLS_INVALID`; KhonsuError
 * `KHONSU_STORAGE_LOCKED`, `KHONSU_STORAGE_CORRUPT`, `KHONSU_STORAGE_FAILED`; ClusterError `KHONSU_IDENTITY_CORRUPT`,
 * `KHONSU_IDENTITY_MISMATCH`
 * @example
 * const node = await startNode({ node: 1, cluster: "demo", data: "./data/1", found: [{ node: 1, address: "127.0.0.1:50052" }] });
 * await node.transact((tx) => tx.write("greeting", batch));
 * await node.stop();
 */
export async function startNode(
  input: NodeConfigInput,
  options: StartNodeOptions = {},
): Promise<RunningNode> {
  const { isProcess = false, pages = [], peerProtocol } = options;
  const node = new KhonsuNode(resolveConfig(input), { isProcess, pages, peerProtocol });
  try {
    await node.open();
  } catch (error) {
    await node.stop({ force: true });
    throw error;
  }
  return node;
}
