/** Who the client is, and whom it believes, from the flags and the environment. */
import { readFile } from "node:fs/promises";
import type { ClientTls } from "@khonsu/transport-connect";
import type { ConnectionFlags } from "../commands/options.ts";
import { CommandError } from "../failure.ts";
import { reasonOf } from "../files/file-error.ts";

/** The bearer token, of the file if one is named. */
export async function tokenOf({ token, tokenFile }: ConnectionFlags): Promise<string | undefined> {
  return tokenFile === undefined ? token : (await textOf(tokenFile, "token")).trim();
}

/** Whether and how to encrypt. */
export async function tlsOf({ tls, ca, certificate, key }: ConnectionFlags): Promise<ClientTls | undefined> {
  if ((certificate === undefined) !== (key === undefined))
    throw new CommandError("--certificate and --key are given together, or neither");
  if (!tls && ca === undefined && certificate === undefined) return undefined;
  return {
    ...(ca !== undefined && { ca: await textOf(ca, "authority") }),
    ...(certificate !== undefined && { certificate: await textOf(certificate, "certificate") }),
    ...(key !== undefined && { key: await textOf(key, "key") }),
  };
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
