/** What client and node have to agree on before they exchange anything else. */
import type { KeyPlacement } from "@khonsu/cluster";

/** The versions of the protocol that this one speaks. */
export const PROTOCOL_VERSION_MIN = 1;
export const PROTOCOL_VERSION_MAX = 1;

/** Keys whose shards both sides compute: who has another hash function would look for rows where they are not. */
const PROBE_KEYS = ["0", "1", "2", "3", "4", "5", "6", "7"];

export function probesOf(placement: KeyPlacement): number[] {
  return PROBE_KEYS.map((key) => placement.shardOf(key));
}

/** A frame of more than one question or reply has at most so many bytes. */
export const FRAME_BYTES = 256 * 1024;

/** Answers above this travel in parts of this size. */
export const PART_BYTES = 256 * 1024;

/** The method of gRPC that a session is a call of. */
export const SESSION_PATH = "/khonsu.client.v1.ClientService/Session";
