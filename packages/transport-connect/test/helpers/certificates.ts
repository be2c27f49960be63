/** Certificates for tests, made anew in each run: an authority, and what it signed. */
import { generate } from "selfsigned";
import type { TlsIdentity } from "../../src/index.ts";

export interface Authority {
  readonly certificate: string;
  readonly key: string;
}

const BASE = { keyType: "ec", algorithm: "sha256" } as const;

export async function makeAuthority(name: string): Promise<Authority> {
  const pems = await generate([{ name: "commonName", value: name }], {
    ...BASE,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return { certificate: pems.cert, key: pems.private };
}

/** A certificate for 127.0.0.1 that holds for both ends of a connection, and the authority of the peers beside it. */
export async function signedBy(authority: Authority, name = "node"): Promise<TlsIdentity> {
  const pems = await generate([{ name: "commonName", value: name }], {
    ...BASE,
    ca: { key: authority.key, cert: authority.certificate },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
    ],
  });
  return { certificate: pems.cert, key: pems.private, peerAuthority: authority.certificate };
}
