/**
 * The board: proposals and their votes, a key each. Nothing here knows of a page; the transactions are those of any other client, run in
 * the browser and committed by whichever node is reached.
 */
import type { ClusterClient } from "@khonsu/transport-connect/browser";
import { type RecordBatch, tableFromArrays } from "apache-arrow";

export interface Proposal {
  readonly name: string;
  readonly votes: number;
}

const PREFIX = "proposals/";

export class Board {
  readonly #client: ClusterClient;

  constructor(client: ClusterClient) {
    this.#client = client;
  }

  /** Adds a proposal, unless there is one of that name. */
  async propose(name: string): Promise<void> {
    await this.#client.transact(async (tx) => {
      const key = PREFIX + name;
      if (!(await tx.has(key))) tx.write(key, batchOf({ name, votes: 0 }));
    });
  }

  /** Reads, adds one, writes. Two that vote at once conflict, and one of them runs again: no vote is lost. */
  async vote(name: string): Promise<void> {
    await this.#client.transact(async (tx) => {
      const batch = await tx.read(PREFIX + name);
      if (batch !== undefined) tx.write(PREFIX + name, batchOf({ name, votes: proposalOf(batch).votes + 1 }));
    });
  }

  async withdraw(name: string): Promise<void> {
    await this.#client.transact((tx) => tx.delete(PREFIX + name));
  }

  /**
   * Calls `show` with all proposals, and again whenever one has changed, whoever did it.
   *
   * The watch begins before the scan, so no change is missed; one that the scan has seen already is shown again, and does no harm, since
   * the last change of a key comes last.
   */
  async follow(show: (proposals: readonly Proposal[]) => void, signal: AbortSignal): Promise<void> {
    const changes = this.#client.watch({ prefix: PREFIX, signal });
    await changes.started;
    const proposals = await this.#all();
    show(sorted(proposals));
    for await (const event of changes) {
      for (const { key, batch } of event.changes) {
        if (batch === undefined) proposals.delete(key);
        else proposals.set(key, proposalOf(batch));
      }
      show(sorted(proposals));
    }
  }

  #all(): Promise<Map<string, Proposal>> {
    return this.#client.transact(
      async (tx) => {
        const found = new Map<string, Proposal>();
        for await (const [key, batch] of tx.scan({ prefix: PREFIX })) found.set(key, proposalOf(batch));
        return found;
      },
      { readOnly: true },
    );
  }
}

function sorted(proposals: ReadonlyMap<string, Proposal>): readonly Proposal[] {
  return [...proposals.values()].sort((a, b) => b.votes - a.votes || a.name.localeCompare(b.name));
}

function batchOf({ name, votes }: Proposal): RecordBatch {
  return tableFromArrays({ name: [name], votes: Int32Array.of(votes) }).batches[0]!;
}

function proposalOf(batch: RecordBatch): Proposal {
  const { name, votes } = batch.get(0)!.toJSON();
  return { name: String(name), votes: Number(votes) };
}
