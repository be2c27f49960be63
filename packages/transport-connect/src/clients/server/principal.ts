/** Who a client is, as far as its token says. */
import { type ContextKey, createContextKey } from "@connectrpc/connect";
import { TransportError } from "../../errors.ts";

export interface Principal {
  readonly name: string;
  /** Milliseconds since 1970; undefined: for ever. */
  readonly expiresAt: number | undefined;
}

export interface Authenticator {
  /**
   * Who has this token, at the moment; undefined: nobody. Called again and again while a stream is open.
   *
   * @param token of the header `authorization: Bearer …`; undefined if there is none
   */
  authenticate(token: string | undefined): Principal | undefined;
}

/** A client that was let in: its token, to be looked at again while its stream is open. */
export interface Admission {
  readonly principal: Principal;
  readonly token: string | undefined;
}

const ANYBODY: Admission = { principal: { name: "anybody", expiresAt: undefined }, token: undefined };

export const admissionKey: ContextKey<Admission> = createContextKey(ANYBODY, {
  description: "who the client is",
});

/** Lets everybody in: for clusters on a network that is trusted. */
export const allowAnybody: Authenticator = { authenticate: () => ANYBODY.principal };

/** @throws TransportError `KHONSU_UNAUTHENTICATED` once the token is valid no more */
export function assertStillAdmitted(authenticator: Authenticator, { token }: Admission): void {
  if (authenticator.authenticate(token) === undefined) throw unauthenticated(true);
}

export function uncertified(): TransportError {
  const message = "Cannot let the client in: it has shown no certificate of the clients' authority";
  return new TransportError("KHONSU_UNAUTHENTICATED", message);
}

export function unauthenticated(hasToken: boolean): TransportError {
  const why = hasToken ? "the token is unknown or has expired" : "there is no bearer token";
  return new TransportError("KHONSU_UNAUTHENTICATED", `Cannot let the client in: ${why}`);
}
