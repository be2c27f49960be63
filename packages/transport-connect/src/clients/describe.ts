/** The first question to a node: what cluster it is of, and whether the two understand each other. */
import { type Client, ConnectError, type Interceptor } from "@connectrpc/connect";
import { messageOf, TransportError } from "../errors.ts";
import type { ClientService, DescribeResponse } from "../gen/khonsu/client/v1/client_pb.ts";
import { FailureSchema } from "../gen/khonsu/client/v1/failure_pb.ts";
import { fromFailure } from "./failure.ts";
import type { NodeClock } from "./node-clock.ts";
import { PROTOCOL_VERSION_MAX, PROTOCOL_VERSION_MIN } from "./protocol.ts";

export async function describeNode(
  client: Client<typeof ClientService>,
  address: string,
  signal: AbortSignal,
  clock: NodeClock,
): Promise<DescribeResponse> {
  try {
    const request = { versionMin: PROTOCOL_VERSION_MIN, versionMax: PROTOCOL_VERSION_MAX };
    const description = await client.describe(request, { signal });
    clock.set(Number(description.clock));
    return description;
  } catch (error) {
    throw fromStatus(error, address);
  }
}

/** The error of a status: the one that the node gave as detail, or that the node could not be reached. */
function fromStatus(error: unknown, address: string): Error {
  const [failure] = error instanceof ConnectError ? error.findDetails(FailureSchema) : [];
  if (failure !== undefined) return fromFailure(failure);
  const message = `Cannot reach ${address}: ${messageOf(error)}`;
  return new TransportError("KHONSU_PEER_UNREACHABLE", message, { cause: error });
}

/** Shows the token with every request. */
export function withToken(token: Token): Interceptor[] {
  if (token === undefined) return [];
  return [
    (next) => (request) => {
      request.header.set("authorization", authorizationOf(token) ?? "");
      return next(request);
    },
  ];
}

type Token = string | (() => string) | undefined;

/** The header that shows the token. */
export function authorizationOf(token: Token): string | undefined {
  if (token === undefined) return undefined;
  return `Bearer ${typeof token === "string" ? token : token()}`;
}
