/**
 * Which authority the certificate of a connection is of, where there is one for peers and another one for clients. That the certificate holds is what
 * TLS has found already; here only its chain is followed, by signatures and not by names, which two authorities may share. In doubt it is of neither.
 */
import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { TlsIdentity } from "./tls.ts";

export interface CertifiedAs {
  /** By the authority of the peers. */
  readonly isPeer: boolean;
  /** By that of the clients. */
  readonly isClient: boolean;
}

const NEITHER: CertifiedAs = { isPeer: false, isClient: false };
/** Certificates of a chain that are followed. */
const CHAIN_MAX = 8;
/** Kept on the connection itself: what stands for it in a request of HTTP/2 is a proxy, which hands properties on. */
const CERTIFIED = Symbol("certified as");

/** Notes whose certificate a connection has presented. Made once for a listener. */
export function certifier({ clientAuthority, peerAuthority }: TlsIdentity): (socket: TLSSocket) => void {
  const peers = certificatesIn(peerAuthority);
  const clients = certificatesIn(clientAuthority);
  return (socket) => {
    const leaf = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    if (leaf === undefined) return;
    const certified = { isPeer: isSignedBy(leaf, peers), isClient: isSignedBy(leaf, clients) };
    (socket as { [CERTIFIED]?: CertifiedAs })[CERTIFIED] = certified;
  };
}

export function certifiedAs(socket: object): CertifiedAs {
  return (socket as { readonly [CERTIFIED]?: CertifiedAs })[CERTIFIED] ?? NEITHER;
}

/** Whether a chain of signatures leads from `leaf` to one of `authorities`. */
export function isSignedBy(leaf: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  let current = leaf;
  for (let length = 0; length < CHAIN_MAX; length++) {
    const { fingerprint256, issuerCertificate: next } = current;
    if (authorities.some((authority) => authority.fingerprint256 === fingerprint256)) return true;
    if (authorities.some((authority) => isIssued(current, authority))) return true;
    if (next === undefined || !next.ca || next.fingerprint256 === fingerprint256) return false;
    if (!isIssued(current, next)) return false;
    current = next;
  }
  return false;
}

function isIssued(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function certificatesIn(pem = ""): X509Certificate[] {
  const texts = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return texts.map((text) => new X509Certificate(text));
}
