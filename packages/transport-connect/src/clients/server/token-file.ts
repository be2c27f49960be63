/**
 * Bearer tokens from a file, which is read again when it changes. Tokens are kept as their SHA-256, and compared in constant
 * time with all that there are, so that the time of an answer tells nothing about them.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync, type StatWatcher, unwatchFile, watchFile } from "node:fs";
import { messageOf, TransportError } from "../../errors.ts";
import type { Authenticator, Principal } from "./principal.ts";

interface Entry {
  readonly principal: Principal;
  readonly digest: Uint8Array;
}

export interface TokenFileOptions {
  /**
   * A JSON file: `{ "tokens": [{ "name": "loader", "token": "…", "expires": "2027-01-01T00:00:00Z" }] }`. In the place of
   * `token` (at least 16 characters) stands `sha256`, its digest in hexadecimal, where the file should not give it away.
   */
  readonly path: string;
  /** Milliseconds since 1970. Default: the machine's clock. */
  readonly now?: () => number;
  /** How often the file is looked at, in milliseconds. Default 1,000. */
  readonly pollMs?: number;
  /** Told when a changed file cannot be used; the tokens from before stay. Default: nobody. */
  readonly onFailure?: (error: TransportError) => void;
}

const TOKEN_LENGTH_MIN = 16;

export class TokenFile implements Authenticator {
  readonly #options: TokenFileOptions;
  readonly #now: () => number;
  readonly #reload = () => this.#load();
  #entries: readonly Entry[];

  /** @throws TransportError `KHONSU_TOKENS_INVALID` that says what is wrong with the file */
  constructor(options: TokenFileOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#entries = readTokens(options.path);
    const watcher: StatWatcher = watchFile(options.path, { interval: options.pollMs ?? 1000 }, this.#reload);
    // The server keeps the process alive, not the look at its tokens.
    watcher.unref();
  }

  authenticate(token: string | undefined): Principal | undefined {
    if (token === undefined) return undefined;
    const digest = createHash("sha256").update(token).digest();
    let found: Principal | undefined;
    for (const entry of this.#entries) if (timingSafeEqual(entry.digest, digest)) found = entry.principal;
    if (found?.expiresAt !== undefined && found.expiresAt <= this.#now()) return undefined;
    return found;
  }

  /** Stops looking at the file. */
  close(): void {
    unwatchFile(this.#options.path, this.#reload);
  }

  #load(): void {
    try {
      this.#entries = readTokens(this.#options.path);
    } catch (error) {
      if (error instanceof TransportError) this.#options.onFailure?.(error);
    }
  }
}

function readTokens(path: string): Entry[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw invalid(path, messageOf(cause), cause);
  }
  if (!isObject(content) || !Array.isArray(content.tokens)) throw invalid(path, 'it has no list "tokens"');
  return content.tokens.map((entry: unknown, index) =>
    toEntry(entry, (why) => invalid(path, `token ${index + 1} ${why}`)),
  );
}

function toEntry(entry: unknown, wrong: (why: string) => TransportError): Entry {
  if (!isObject(entry)) throw wrong("is no object");
  const { name, token, sha256, expires, ...rest } = entry;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) throw wrong(`has a field ${JSON.stringify(unknown)}, which means nothing`);
  if (typeof name !== "string" || name === "") throw wrong('needs a "name"');
  const expiresAt =
    expires === undefined ? undefined : typeof expires === "string" ? Date.parse(expires) : Number.NaN;
  if (Number.isNaN(expiresAt))
    throw wrong('has an "expires" that is no date, such as "2027-01-01T00:00:00Z"');
  return { principal: { name, expiresAt }, digest: toDigest(token, sha256, wrong) };
}

function toDigest(token: unknown, sha256: unknown, wrong: (why: string) => TransportError): Uint8Array {
  if ((token === undefined) === (sha256 === undefined)) throw wrong('needs either "token" or "sha256"');
  if (token === undefined) {
    if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/i.test(sha256))
      throw wrong('has a "sha256" that is not 64 hexadecimal digits');
    return Buffer.from(sha256, "hex");
  }
  if (typeof token !== "string" || token.length < TOKEN_LENGTH_MIN) {
    throw wrong(`has a "token" of fewer than ${TOKEN_LENGTH_MIN} characters`);
  }
  return createHash("sha256").update(token).digest();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(path: string, why: string, cause?: unknown): TransportError {
  return new TransportError("KHONSU_TOKENS_INVALID", `Cannot use the tokens of ${path}: ${why}`, { cause });
}
