/** The client of a cluster that the flags and the environment name. */
import { readFile } from "node:fs/promises";
import { connectCluster } from "@khonsu/transport-connect";
import type { ConnectionFlags } from "../commands/options.ts";
import { CommandError } from "../failure.ts";
import { reasonOf } from "../files/file-error.ts";
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
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** The bearer token, of the file if one is named. */
export async function tokenOf({ token, tokenFile }: ConnectionFlags): Promise<string | undefined> {
  return tokenFile === undefined ? token : (await textOf(tokenFile, "token")).trim();
}

/** Whether and how to encrypt. */
export async function tlsOf({ tls, ca }: ConnectionFlags): Promise<{ readonly ca?: string } | undefined> {
  if (ca !== undefined) return { ca: await textOf(ca, "authority") };
  return tls ? {} : undefined;
}

async function textOf(path: string, what: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new CommandError(`Cannot read the file of the ${what}, ${path}: ${reasonOf(cause)}`, {
      code: "KHONSU_FILE_FAILED",
      cause,
    });
  }
}
