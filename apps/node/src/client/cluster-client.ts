/** The client of a cluster that the flags and the environment name. */
import { connectCluster } from "@khonsu/transport-connect";
import type { ConnectionFlags } from "../commands/options.ts";
import { tlsOf, tokenOf } from "./credentials.ts";
import type { StoreClient } from "./store-client.ts";

/** @throws ClusterError, TransportError; CommandError for a file that cannot be read. */
export async function connect(flags: ConnectionFlags): Promise<StoreClient> {
  const token = await tokenOf(flags);
  const tls = await tlsOf(flags);
  const client = await connectCluster({
    addresses: flags.address,
    ...(token !== undefined && { token }),
    ...(tls !== undefined && { tls }),
  });
  return {
    transact: (body, options) => client.transact(body, options),
    watch: (options) => client.watch(options),
    settled: () => client.catchUp(),
    [Symbol.asyncDispose]: () => client.close(),
  };
}
