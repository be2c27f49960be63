/** TLS of a listener, and of those who dial it: PEM texts, read from files once, with errors that name the file. */
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { messageOf, TransportError } from "../errors.ts";

/** PEM texts. */
export interface TlsIdentity {
  /** The certificate, and those between it and the authority. */
  readonly certificate: string;
  readonly key: string;
  /**
   * The authority of the peers. With it the listener asks for certificates, and only connections with one that this authority
   * signed may speak as peers; and a dialler believes only servers whose certificate it signed.
   */
  readonly peerAuthority?: string | undefined;
  /**
   * The authority of the clients. With it the listener asks for certificates, and whoever serves clients may let in only those with one that this
   * authority signed (`needsCertificate` of `clientRoutes`). Not the same as `peerAuthority`: its certificates speak for nodes.
   */
  readonly clientAuthority?: string | undefined;
}

/** Paths of PEM files. */
export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly peerAuthorityFile?: string | undefined;
  readonly clientAuthorityFile?: string | undefined;
}

/** @throws TransportError `KHONSU_TLS_INVALID` that names the file, or what is wrong with the certificate and the key */
export async function readTlsFiles(files: TlsFiles): Promise<TlsIdentity> {
  const { certificateFile, clientAuthorityFile, keyFile, peerAuthorityFile } = files;
  const identity: TlsIdentity = {
    certificate: await read(certificateFile),
    key: await read(keyFile),
    ...(peerAuthorityFile !== undefined && { peerAuthority: await read(peerAuthorityFile) }),
    ...(clientAuthorityFile !== undefined && { clientAuthority: await read(clientAuthorityFile) }),
  };
  assertUsable(identity);
  return identity;
}

/** @throws TransportError `KHONSU_TLS_INVALID` if certificate and key do not belong together, or are none */
export function assertUsable(identity: TlsIdentity): void {
  const { certificate, key } = identity;
  try {
    createSecureContext({ cert: certificate, key, ca: authoritiesOf(identity) });
  } catch (cause) {
    throw new TransportError("KHONSU_TLS_INVALID", `Cannot use the certificate: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Whose certificates a listener looks at. */
export function authoritiesOf({ clientAuthority, peerAuthority }: TlsIdentity): string[] {
  return [peerAuthority, clientAuthority].filter((authority) => authority !== undefined);
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new TransportError("KHONSU_TLS_INVALID", `Cannot read ${path}: ${messageOf(cause)}`, { cause });
  }
}
