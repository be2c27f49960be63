/** `GET /status.json` of nodes: of those that are named, and of the members that they name. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { text as textOf } from "node:stream/consumers";
import { CommandError } from "../../failure.ts";
import { reasonOf } from "../../files/file-error.ts";
import type { NodeStatus } from "../../node/node-status.ts";

export interface StatusConnection {
  readonly addresses: readonly string[];
  readonly token?: string | undefined;
  /** Undefined: not encrypted. */
  readonly tls?: { readonly ca?: string } | undefined;
  /** How long one node may take, in milliseconds. Default 2,000. */
  readonly patienceMs?: number;
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
    const status = JSON.parse(await get(`${address}/status.json`, connection)) as Partial<NodeStatus>;
    if (status.format !== 1) throw new Error(`its status has format ${status.format}; this version knows 1`);
    return { address, status: status as NodeStatus };
  } catch (error) {
    return { address, problem: reasonOf(error) || "no connection" };
  }
}

/** Not `fetch`, which cannot be told whose certificates to believe. */
function get(place: string, { token, tls, patienceMs = 2000 }: StatusConnection): Promise<string> {
  const options = {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(patienceMs),
    ...tls,
  };
  return new Promise((resolve, reject) => {
    const request =
      tls === undefined ? httpRequest(`http://${place}`, options) : httpsRequest(`https://${place}`, options);
    request.on("error", (error) =>
      reject(
        error.name === "TimeoutError" || error.name === "AbortError"
          ? new Error(`no answer within ${patienceMs} ms`)
          : error,
      ),
    );
    request.on("response", (response) => {
      if (response.statusCode === 200) textOf(response).then(resolve, reject);
      else {
        response.resume();
        reject(new Error(`it answered ${response.statusCode} ${response.statusMessage}`));
      }
    });
    request.end();
  });
}
