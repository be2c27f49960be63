/** How clients reach a node: who they are, what they may ask at a time, and the cluster behind it. */
import { ClusterError, type ClusterMember, type DirectoryState } from "@khonsu/cluster";
import { systemRuntime } from "@khonsu/core";
import { type ClientRoutes, clientRoutes, type Description, TokenFile } from "@khonsu/transport-connect";
import type { Closers } from "./closers.ts";
import type { NodeConfig } from "./config/schema.ts";
import type { Telemetry } from "./telemetry.ts";

/** @throws TransportError `KHONSU_INVALID_OPTION` */
export function clientAccess(
  config: NodeConfig,
  { node, directory }: ClusterMember,
  { log, meter }: Telemetry,
  isServing: () => boolean,
  authenticate: TokenFile | undefined,
): ClientRoutes {
  const { browserOrigins, limits, tls } = config;
  return clientRoutes({
    shards: meter.shards(node.router),
    coordinator: meter.coordinator(node.coordinators),
    clock: node.clock,
    runtime: systemRuntime,
    describe: () => describe(config, directory.state),
    leaderOf: (shard) => node.replicaOf(shard)?.consensus.status().leader,
    authenticate,
    needsCertificate: tls?.clientAuthority !== undefined,
    origins: browserOrigins,
    limits: {
      questionsMax: limits.requestsInFlight,
      // Below the listener's limit, which covers the frame around a question as well.
      questionBytesMax: limits.messageBytes - 64 * 1024,
    },
    isServing,
    onFailure: (what, err) =>
      log.error({ what, err }, "a client's question failed in a way that should not be"),
  });
}

/** @throws ClusterError `KHONSU_UNAVAILABLE` while this node does not know its cluster. */
function describe({ node }: NodeConfig, state: DirectoryState | undefined): Description {
  if (state === undefined) {
    throw new ClusterError("KHONSU_UNAVAILABLE", `Node ${node} does not know its cluster yet`, {
      retryable: true,
    });
  }
  const { clusterId, delimiter, members } = state;
  const there = [...members.values()].filter((member) => member.state !== "gone");
  return { clusterId, node, delimiter, members: there.map(({ node, address }) => ({ node, address })) };
}

/** Who is let in; undefined: everybody. @throws TransportError `KHONSU_TOKENS_INVALID` */
export function authenticatorOf(
  { tokens }: NodeConfig,
  log: Telemetry["log"],
  closers: Closers,
): TokenFile | undefined {
  if (tokens === undefined) return undefined;
  const file = new TokenFile({
    path: tokens,
    onFailure: (err) =>
      log.error({ err }, "the changed file of tokens cannot be used; those from before stay"),
  });
  closers.defer(() => file.close());
  return file;
}
