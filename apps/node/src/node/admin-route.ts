/**
 * `POST /admin/directory`: changes of the cluster's members, for `khonsu members`. The body is JSON; whoever has a token of clients may.
 * Only `application/json` is taken, which a page of another origin cannot send without having asked, and nobody allows it.
 */
import { ClusterError, type Directory, type DirectoryCommand } from "@khonsu/cluster";
import {
  type Authenticator,
  connectionOf,
  type NodeRequest,
  type NodeResponse,
} from "@khonsu/transport-connect";
import { z } from "zod";
import type { HttpRoute } from "./http-routes.ts";

export const ADMIN_PATH = "/admin/directory";
const BODY_BYTES_MAX = 4096;

const node = z
  .int()
  .min(1)
  .max(2 ** 21 - 1);
const weight = z.number().positive().max(1000);
const commandSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("remove"), node }),
  z.strictObject({ kind: z.literal("update"), node, weight }),
  z.strictObject({ kind: z.literal("setReplicas"), replicas: z.int().min(1).max(9) }),
]);

/** What may be asked for over this route. */
export type AdminCommand = z.infer<typeof commandSchema>;

/** What is answered where it is not done. */
export interface AdminRefusal {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}

export interface AdminAccess {
  /** Undefined: no token is asked for. */
  readonly authenticator: Authenticator | undefined;
  /** Whether a certificate of the clients' authority is. */
  readonly needsCertificate: boolean;
}

export function adminRoute(directory: Pick<Directory, "change">, access: AdminAccess): HttpRoute {
  return (path, request, response) => {
    if (path !== ADMIN_PATH) return false;
    serve(directory, access, request, response).catch(() => response.destroy());
    return true;
  };
}

async function serve(
  directory: Pick<Directory, "change">,
  access: AdminAccess,
  request: NodeRequest,
  response: NodeResponse,
): Promise<void> {
  const refusal = refusalOf(request, access);
  if (refusal !== undefined) {
    request.resume();
    respond(response, ...refusal);
    return;
  }
  const body = await bodyOf(request);
  const command = body === undefined ? undefined : parse(body);
  if (command === undefined) {
    respond(response, 400, {
      code: "KHONSU_INVALID_OPTION",
      message: "The body is no change of members",
      retryable: false,
    });
    return;
  }
  try {
    await directory.change(command);
    respond(response, 200, {});
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    const { code, message, retryable } = error;
    respond(response, retryable ? 503 : 409, { code, message, retryable });
  }
}

function refusalOf(
  request: NodeRequest,
  { authenticator, needsCertificate }: AdminAccess,
): readonly [status: number, AdminRefusal] | undefined {
  const { method, headers } = request;
  const refuse = (status: number, code: string, message: string) =>
    [status, { code, message, retryable: false }] as const;
  if (method !== "POST") return refuse(405, "KHONSU_INVALID_OPTION", "Changes of members are posted");
  if (headers["content-type"]?.split(";", 1)[0] !== "application/json")
    return refuse(415, "KHONSU_INVALID_OPTION", "The body is to be application/json");
  if (needsCertificate && !connectionOf(request).isClient)
    return refuse(401, "KHONSU_UNAUTHENTICATED", "There is no certificate of the clients' authority");
  const token = headers.authorization?.match(/^Bearer (.+)$/)?.[1];
  if (authenticator !== undefined && authenticator.authenticate(token) === undefined)
    return refuse(401, "KHONSU_UNAUTHENTICATED", "There is no bearer token, or it is unknown or has expired");
  return undefined;
}

/** Undefined where there is too much of it. */
async function bodyOf(request: NodeRequest): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > BODY_BYTES_MAX) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function parse(body: string): DirectoryCommand | undefined {
  try {
    return commandSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

function respond(response: NodeResponse, status: number, answer: object): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.setHeader("cache-control", "no-store");
  response.end(`${JSON.stringify(answer)}\n`);
}
