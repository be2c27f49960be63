/** Changes of the members, by way of any node, and waiting for what comes of them. */
import { CommandError } from "../../failure.ts";
import { reasonOf } from "../../files/file-error.ts";
import type { AdminCommand, AdminRefusal } from "../../node/admin-route.ts";
import { type Answer, fetchCluster, type StatusConnection } from "./fetch-status.ts";
import { send } from "./send.ts";

/** Longer than a node tries by itself. */
const CHANGE_MS = 15_000;
const POLL_MS = 250;

/** @throws CommandError with the code of the refusal; `KHONSU_UNAVAILABLE` where no address answers. */
export async function changeMembers(connection: StatusConnection, command: AdminCommand): Promise<void> {
  const problems: string[] = [];
  for (const address of connection.addresses) {
    try {
      const request = { method: "POST", path: "/admin/directory", body: JSON.stringify(command) } as const;
      const { status, text } = await send(address, request, { ...connection, patienceMs: CHANGE_MS });
      if (status === 200) return;
      throw refused(text, `${address} answered ${status}`);
    } catch (error) {
      if (error instanceof CommandError) throw error;
      problems.push(`${address}: ${reasonOf(error) || "no connection"}`);
    }
  }
  throw new CommandError(`No node answers: ${problems.join("; ")}`, { code: "KHONSU_UNAVAILABLE" });
}

function refused(text: string, otherwise: string): CommandError {
  try {
    const { code, message } = JSON.parse(text) as Partial<AdminRefusal>;
    if (typeof code === "string" && typeof message === "string") return new CommandError(message, { code });
  } catch {
    // Not an answer of Khonsu, then.
  }
  return new CommandError(otherwise);
}

/**
 * Asks the cluster again and again until `holds`; nodes that do not answer for a while are asked again.
 *
 * @throws CommandError `KHONSU_TIMEOUT` after `seconds`
 */
export async function waitFor(
  connection: StatusConnection,
  holds: (answers: readonly Answer[]) => boolean,
  what: string,
  seconds: number,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  let last: unknown;
  do {
    try {
      if (holds(await fetchCluster(connection))) return;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  } while (performance.now() < deadline);
  throw new CommandError(`Not within ${seconds} s: ${what}. It may still come`, {
    code: "KHONSU_TIMEOUT",
    cause: last,
  });
}
