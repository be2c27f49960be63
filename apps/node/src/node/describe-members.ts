/** The members of a cluster as a node sees them, with its link to each. */
import type { LinkState, PeerStatus } from "@khonsu/transport-connect";
import type { MemberStatus } from "./node-status.ts";
import type { Founder } from "./static-membership.ts";

export function describeMembers(
  self: number,
  members: readonly Founder[],
  links: readonly PeerStatus[],
): MemberStatus[] {
  const byNode = new Map(links.map((link) => [link.node, link]));
  return members.map(({ node, address, weight, zone }) => {
    const link = byNode.get(node);
    return {
      node,
      address,
      zone: zone ?? null,
      weight: weight ?? 1,
      incarnation: 1,
      state: "active",
      link: node === self ? "self" : linkOf(link?.state),
      linkError: link?.state === "up" ? null : (link?.lastError?.message ?? null),
      queuedBytes: link?.queuedBytes ?? 0,
    };
  });
}

function linkOf(state: LinkState | undefined): MemberStatus["link"] {
  return state === "up" ? "up" : state === "connecting" || state === "waiting" ? "connecting" : "down";
}
