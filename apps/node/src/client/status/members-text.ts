/** The members as a table: where they are, what they take, and how the node asked reaches them. */
import Table from "cli-table3";
import colors from "picocolors";
import type { MemberStatus } from "../../node/node-status.ts";
import type { Answer } from "./fetch-status.ts";

const STATES: Readonly<Record<MemberStatus["state"], (text: string) => string>> = {
  active: colors.green,
  leaving: colors.yellow,
  gone: colors.dim,
};

/** @param answers the first has a status */
export function membersText(answers: readonly Answer[]): string {
  const { members, shards } = answers[0]!.status!;
  const table = new Table({
    head: ["Node", "Address", "Zone", "Weight", "Replicas", "State", "Answers"].map((name) =>
      colors.bold(name),
    ),
    colAligns: ["right", "left", "left", "right", "right", "left", "left"],
    style: { head: [], border: [], compact: true },
  });
  for (const { node, address, zone, weight, state } of members) {
    const replicas = shards.filter((shard) => shard.replicas.includes(node)).length;
    const answer = answers.find((each) => each.status?.node === node || each.address === address);
    const isThere =
      state === "gone" ? "–" : answer?.status !== undefined ? colors.green("yes") : colors.red("no");
    table.push([node, address, zone ?? "–", weight, replicas, STATES[state](state), isThere]);
  }
  return `${table.toString()}\n`;
}
