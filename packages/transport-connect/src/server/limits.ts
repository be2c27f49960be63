/** What one listener allows, so that no client can take more than its share of memory, connections or time. */
import { TransportError } from "../errors.ts";

export interface ServerLimits {
  /** Bytes of one message, in or out, after decompression. A service may set a lower one. Default 8 MiB. */
  readonly messageBytesMax: number;
  /** Connections at a time; further ones are told so and closed. Default 1024. */
  readonly connectionsMax: number;
  /** Streams at a time on one HTTP/2 connection; the client waits with further ones. Default 128. */
  readonly streamsPerConnectionMax: number;
  /** Bytes of the headers of one request. Default 16 KiB. */
  readonly headerBytesMax: number;
  /** Milliseconds from the first byte expected to the last header, and for the TLS handshake. Default 10,000. */
  readonly headerTimeoutMs: number;
  /**
   * How often HTTP/2 connections are looked at, in milliseconds: one that has no stream twice in a row is closed, and one with streams
   * is asked for a sign of life, which must come within `headerTimeoutMs`. Default 60,000.
   */
  readonly idleTimeoutMs: number;
  /** Bytes that a client may send ahead on one stream before they were read. Default 1 MiB. */
  readonly streamWindowBytes: number;
  /** The same over all streams of a connection. Above `streamWindowBytes`, so that one slow stream holds up no other. Default 8 MiB. */
  readonly connectionWindowBytes: number;
  /** Bytes that one HTTP/2 connection may occupy, what waits to be sent included; then it gets no further streams. Default 64 MiB. */
  readonly connectionMemoryBytes: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const DEFAULT_SERVER_LIMITS: ServerLimits = Object.freeze({
  messageBytesMax: 8 * MIB,
  connectionsMax: 1024,
  streamsPerConnectionMax: 128,
  headerBytesMax: 16 * KIB,
  headerTimeoutMs: 10_000,
  idleTimeoutMs: 60_000,
  streamWindowBytes: MIB,
  connectionWindowBytes: 8 * MIB,
  connectionMemoryBytes: 64 * MIB,
});

/** HTTP/2 has 31 bits for a window. */
const LIMIT_MAX = 2 ** 31 - 1;

/** @throws TransportError `KHONSU_INVALID_OPTION` that names the limit, its value and its range */
export function resolveLimits<T extends object>(defaults: T, given: Partial<T> = {}): T {
  const limits = { ...defaults };
  for (const name of Object.keys(given) as (keyof T & string)[]) {
    const value = given[name];
    if (value === undefined) continue;
    if (!(name in defaults)) throw invalid(`there is no limit ${name}`);
    if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > LIMIT_MAX) {
      throw invalid(`${name} must be an integer from 1 to ${LIMIT_MAX}, not ${String(value)}`);
    }
    limits[name] = value as T[keyof T & string];
  }
  return limits;
}

function invalid(what: string): TransportError {
  return new TransportError("KHONSU_INVALID_OPTION", `Cannot use the limits: ${what}`);
}
