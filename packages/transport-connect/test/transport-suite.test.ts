/** The cluster's `Transport` over links between nodes does what testkit says that every transport must do. */
import type { Serve, Transport } from "@khonsu/cluster";
import { type TransportNetwork, transportSuite } from "@khonsu/testkit/transport-suite";
import { test } from "vitest";
import { answerShard, PeerNetwork, type RunningServer, shardTransport, startServer } from "../src/index.ts";

class Loopback implements TransportNetwork {
  readonly #nodes = new Map<number, { readonly network: PeerNetwork; readonly server: RunningServer }>();

  async start(node: number, serve: Serve): Promise<Transport> {
    const network = new PeerNetwork({
      identity: () => ({ clusterId: "suite", node, incarnation: 1 }),
      onMessage: () => {},
      onAsk: (_from, _channel, body) => answerShard(serve, body),
      limits: { backoffMaxMs: 50 },
    });
    this.#nodes.set(node, { network, server: await startServer({ routes: network.routes }) });
    this.#introduce();
    return shardTransport(network);
  }

  async stop(node: number): Promise<void> {
    const { network, server } = this.#nodes.get(node)!;
    this.#nodes.delete(node);
    // As a kill would: the sockets go, nobody says goodbye.
    await server.stop(0);
    network.close();
  }

  async dispose(): Promise<void> {
    for (const node of this.#nodes.keys()) await this.stop(node);
  }

  /** Nodes that are stopped keep their address with the others, where nobody answers. */
  #introduce(): void {
    const addresses = new Map(
      [...this.#nodes].map(([node, { server }]) => [node, `127.0.0.1:${server.port}`]),
    );
    for (const { network } of this.#nodes.values()) network.setPeers(addresses);
  }
}

transportSuite({ test, factory: () => new Loopback() });
