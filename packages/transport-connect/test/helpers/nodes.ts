/** Nodes that are nothing but a network and its server, on loopback. */
import {
  type PeerEvent,
  type PeerLimits,
  PeerNetwork,
  type PeerNetworkOptions,
  type RunningServer,
  startServer,
  type TlsIdentity,
} from "../../src/index.ts";

export interface TestNode {
  readonly node: number;
  readonly network: PeerNetwork;
  readonly server: RunningServer;
  readonly address: string;
  readonly events: PeerEvent[];
  /** What came in, as `from/group/text`. */
  readonly messages: string[];
  stop(): Promise<void>;
}

export interface TestNodeOptions {
  readonly clusterId?: string;
  readonly incarnation?: number;
  readonly port?: number;
  readonly tls?: TlsIdentity;
  readonly limits?: Partial<PeerLimits>;
  readonly onAsk?: PeerNetworkOptions["onAsk"];
  readonly onMessage?: PeerNetworkOptions["onMessage"];
}

const running: TestNode[] = [];

export async function startNode(node: number, options: TestNodeOptions = {}): Promise<TestNode> {
  const { clusterId = "test", incarnation = 1, limits = {}, port = 0, tls } = options;
  const events: PeerEvent[] = [];
  const messages: string[] = [];
  const network = new PeerNetwork({
    identity: () => ({ clusterId, node, incarnation }),
    onMessage: (from, group, message) => messages.push(`${from}/${group}/${text(message)}`),
    onAsk: async (from, channel, body) => bytes(`${node} to ${from}: ${channel} ${text(body)}`),
    onEvent: (event) => events.push(event),
    limits: { backoffMinMs: 5, backoffMaxMs: 20, ...limits },
    ...options,
    tls,
  });
  const server = await startServer({ port, routes: network.routes, tls });
  const address = `127.0.0.1:${server.port}`;
  const stop = async () => {
    network.close();
    await server.stop(100);
  };
  const started = { node, network, server, address, events, messages, stop };
  running.push(started);
  return started;
}

export async function stopAll(): Promise<void> {
  await Promise.all(running.splice(0).map((node) => node.stop()));
}

/** Tells each of the nodes the addresses of all. */
export function introduce(...nodes: TestNode[]): void {
  const addresses = new Map(nodes.map(({ address, node }) => [node, address]));
  for (const { network } of nodes) network.setPeers(addresses);
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Resolves once the condition holds; whoever waits in vain is ended by the limit of the test. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export function stateOf(from: TestNode, to: TestNode): string | undefined {
  return from.network.status().find(({ node }) => node === to.node)?.state;
}

export function up(...nodes: TestNode[]): Promise<void> {
  return until(() => nodes.every((a) => nodes.every((b) => a === b || stateOf(a, b) === "up")));
}
