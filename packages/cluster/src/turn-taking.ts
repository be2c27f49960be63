/**
 * The turn of one call of `transact` (`turns.ts`): after a conflict it asks for one at all keys that its last attempt has touched, and reads again only when
 * it has it. One leader gives all turns, so that a turn at keys of many shards comes at once, and nobody holds one while he waits for another.
 * Whatever comes of the asking, the next attempt begins: a turn makes a conflict unlikely, and decides nothing (TX-33).
 */
import type { CommitTimestamp } from "@khonsu/core/isolation";
import type { ClusterState } from "./cluster-state.ts";
import type { SessionHost } from "./session-host.ts";
import { type Footprint, TURN_KEYS_MAX, type TurnRequest } from "./turns.ts";

/** The shard whose leader gives the turns, at the keys of all shards. */
const TURNS_SHARD = 0;

export class TurnTaking {
  readonly #host: SessionHost;
  readonly #token: number;
  readonly #since: CommitTimestamp;
  /** What is waited for, or held. */
  #request: TurnRequest | undefined = undefined;

  constructor(host: SessionHost) {
    this.#host = host;
    this.#token = host.randomId();
    this.#since = host.clock.next();
  }

  /** Resolves with whether the turn came. Never rejects. */
  async take(footprint: Footprint): Promise<boolean> {
    const written = footprint.written.slice(0, TURN_KEYS_MAX);
    const read = footprint.read.slice(0, TURN_KEYS_MAX - written.length);
    if (written.length + read.length === 0) return false;
    const { turnBoard } = this.#host;
    if (this.#request !== undefined) turnBoard.remove(this.#request);
    this.#request = { token: this.#token, since: this.#since, written, read };
    turnBoard.add(this.#request);
    return this.#ask(this.#request);
  }

  /** Lets others go on. */
  end(): void {
    if (this.#request === undefined) return;
    this.#host.turnBoard.remove(this.#request);
    this.#request = undefined;
    void this.#ask({ token: this.#token, since: this.#since, written: [], read: [] });
  }

  async #ask(request: TurnRequest): Promise<boolean> {
    try {
      const answer = await this.#host.shards.ask(TURNS_SHARD, { kind: "turn", request });
      return answer.kind === "turn" && answer.isGranted;
    } catch {
      // The attempt tells what is wrong, if anything is.
      return false;
    }
  }
}

/** The keys that the commit of an attempt depends on. */
export function footprintOf({ isolation, reads, writes }: ClusterState): Footprint {
  const written = [...writes.values()].map(({ key }) => key);
  const isCertified = isolation === "serializable";
  const read = isCertified ? [...reads.keys()].filter((key) => writes.get(key) === undefined) : [];
  return { written, read };
}
