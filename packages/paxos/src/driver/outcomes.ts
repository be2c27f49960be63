/** Who waits for what became of a proposal, by client and sequence. As a rule one does, and few clients propose through one replica. */
import type { ProposalId } from "../entry.ts";
import type { Outcome, Waiter } from "./waiting.ts";

type OutcomeWaiter = Waiter<Outcome>;
type Waiters = OutcomeWaiter | readonly OutcomeWaiter[];

export class Outcomes {
  private readonly clients = new Map<number, Map<number, Waiters>>();

  get isEmpty(): boolean {
    return this.clients.size === 0;
  }

  wait({ client, sequence }: ProposalId, waiter: OutcomeWaiter): void {
    let waiting = this.clients.get(client);
    if (waiting === undefined) {
      waiting = new Map();
      this.clients.set(client, waiting);
    }
    const others = waiting.get(sequence);
    waiting.set(sequence, others === undefined ? waiter : [others, waiter].flat());
  }

  resolve(id: ProposalId, outcome: Outcome): void {
    const waiters = this.take(id);
    if (waiters === undefined) return;
    if (isList(waiters)) for (const waiter of waiters) waiter.resolve(outcome);
    else waiters.resolve(outcome);
  }

  reject(id: ProposalId, error: Error): void {
    for (const waiter of [this.take(id) ?? []].flat()) waiter.reject(error);
  }

  rejectAll(error: Error): void {
    const all = [...this.clients.values()].flatMap((waiting) => [...waiting.values()].flat());
    this.clients.clear();
    for (const waiter of all) waiter.reject(error);
  }

  private take({ client, sequence }: ProposalId): Waiters | undefined {
    const waiting = this.clients.get(client);
    const waiters = waiting?.get(sequence);
    if (waiters === undefined) return undefined;
    waiting!.delete(sequence);
    if (waiting!.size === 0) this.clients.delete(client);
    return waiters;
  }
}

function isList(waiters: Waiters): waiters is readonly OutcomeWaiter[] {
  return Array.isArray(waiters);
}
