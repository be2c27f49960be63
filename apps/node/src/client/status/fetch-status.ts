/** `GET /status.json` of nodes: of those that are named, and of the members that they name. */
import { CommandError } from "../../failure.ts";
import { reasonOf } from "../../files/file-error.ts";
import type { NodeStatus } from "../../node/node-status.ts";
import { type NodeConnection, send } from "./send.ts";

export interface StatusConnection extends NodeConnection {
  readonly addresses: readonly string[];
}

/** What became of asking one node. */
export type Answer = { readonly address: string } & (
  | { readonly status: NodeStatus; readonly problem?: undefined }
  | { readonly status?: undefined; readonly problem: string }
);

/**
 * Asks the nodes in turn until one answers, and then all members that it knows.
 *
 * @returns an answer for each member, by address; at least one has a status.
 * @throws CommandError `KHONSU_UNAVAILABLE` where none of the addresses answers
 */
export async function fetchCluster(connection: StatusConnection): Promise<readonly Answer[]> {
  const problems: string[] = [];
  for (const address of connection.addresses) {
    const answer = await ask(address, connection);
    if (answer.status !== undefined) return withOthers(answer.address, answer.status, connection);
    problems.push(`${address}: ${answer.problem}`);
  }
  throw new CommandError(`No node answers: ${problems.join("; ")}`, { code: "KHONSU_UNAVAILABLE" });
}

async function withOthers(
  address: string,
  status: NodeStatus,
  connection: StatusConnection,
): Promise<readonly Answer[]> {
  const members = status.members.filter(({ state }) => state === "active" || state === "leaving");
  const others = members
    .filter(({ node }) => node !== status.node)
    .map((member) => ask(member.address, connection));
  return [{ address, status }, ...(await Promise.all(others))];
}

async function ask(address: string, connection: StatusConnection): Promise<Answer> {
  try {
    const status = JSON.parse(await get(address, connection)) as Partial<NodeStatus>;
    if (status.format !== 1) throw new Error(`its status has format ${status.format}; this version knows 1`);
    return { address, status: status as NodeStatus };
  } catch (error) {
    return { address, problem: reasonOf(error) || "no connection" };
  }
}

async function get(address: string, connection: StatusConnection): Promise<string> {
  const { status, text } = await send(address, { method: "GET", path: "/status.json" }, connection);
  if (status !== 200) throw new Error(`it answered ${status}`);
  return text;
}
