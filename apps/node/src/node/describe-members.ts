/** The members of a cluster as a node sees them, with its link to each. */
import type { DirectoryState } from "@khonsu/cluster";
import type { LinkState, PeerStatus } from "@khonsu/transport-connect";
import type { MemberStatus } from "./node-status.ts";

export function describeMembers(
  self: number,
  state: DirectoryState | undefined,
  links: readonly PeerStatus[],
): MemberStatus[] {
  const byNode = new Map(links.map((link) => [link.node, link]));
  return [...(state?.members.values() ?? [])].map((member) => {
    const { address, incarnation, node, weight, zone } = member;
    const link = byNode.get(node);
    return {
      node,
      address,
      zone: zone ?? null,
      weight,
      incarnation,
      state: member.state,
      link: node === self ? "self" : linkOf(link?.state),
      linkProtocol: link?.link?.protocol ?? null,
      linkError: link === undefined || link.state === "up" ? null : (link.lastError?.message ?? null),
      queuedBytes: link?.queuedBytes ?? 0,
    };
  });
}

function linkOf(state: LinkState | undefined): MemberStatus["link"] {
  return state === "up" ? "up" : state === "connecting" || state === "waiting" ? "connecting" : "down";
}
