/** From a configuration to the options of the parts of a node. */
import type { ReplicaOptions } from "@khonsu/paxos";
import { readTlsFiles, type TlsIdentity } from "@khonsu/transport-connect";
import type { NodeConfig } from "./schema.ts";

/** The default port is this and the number of the node. */
const DEFAULT_PORT_BASE = 50_051;

/** The clients of a group are the runs of its replicas: few, with many commands on their way each. Fixed: images carry them. */
const SESSIONS = { sessionWindow: 4096, sessionsMax: 64 };

/** The port to listen on: as configured, or where the founders know this node, or the default of its number. */
export function portOf({ found, listen, node }: NodeConfig): number {
  const founder = found?.find((member) => member.node === node);
  const known = founder && Number(founder.address.slice(founder.address.lastIndexOf(":") + 1));
  return listen.port ?? known ?? DEFAULT_PORT_BASE + node;
}

export function limitsOf({ checkpoints, limits, timing }: NodeConfig): Partial<ReplicaOptions> {
  return {
    electionTimeoutTicks: timing.electionTicks,
    batchBytesMax: limits.messageBytes,
    checkpointEntries: checkpoints.entries,
    checkpointBytes: checkpoints.bytes,
    retainEntries: checkpoints.retainEntries,
    ...SESSIONS,
  };
}

/** @throws TransportError `KHONSU_TLS_INVALID` */
export async function readIdentity(tls: NodeConfig["tls"]): Promise<TlsIdentity | undefined> {
  if (tls === undefined) return undefined;
  const { certificate, clientAuthority, key, peerAuthority } = tls;
  return readTlsFiles({
    certificateFile: certificate,
    keyFile: key,
    peerAuthorityFile: peerAuthority,
    clientAuthorityFile: clientAuthority,
  });
}
