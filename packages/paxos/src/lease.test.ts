import fc from "fast-check";
import { expect, test } from "vitest";
import type { Context } from "./context.ts";
import { Lease } from "./lease.ts";
import { Log } from "./log.ts";
import { resolveOptions } from "./options.ts";
import { Outbox } from "./outbox.ts";
import { type ReplicaId, replicaId } from "./replica-id.ts";
import { NO_SLOT } from "./slot.ts";

function contextOf(self: ReplicaId, leaseTicks: number, clockDriftMax: number): Context {
  const options = resolveOptions({
    self,
    seed: 1,
    start: { kind: "join" },
    lease: { leaseTicks, clockDriftMax },
  });
  return { self, options, outbox: new Outbox(self), log: new Log(NO_SLOT), now: 0 };
}

const ballot = (node: number) => ({ round: node, priority: 0, replica: replicaId(node) });

test("PX-18 whatever clocks do within the bound, a lease ends at the leader before its acceptor promises another", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 50 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (leaseTicks, drift, rate, leaderPhase, delay) => {
        // Real time in ticks of the leader, which is the slow one; the acceptor counts faster by what the bound allows.
        const leader = contextOf(replicaId(1), leaseTicks, drift);
        const acceptor = contextOf(replicaId(2), leaseTicks, drift);
        const [held, granted] = [new Lease(leader, false), new Lease(acceptor, false)];
        const speed = 1 + drift * rate;
        const ticksOf = (time: number, phase: number) => Math.floor(time + phase);
        leader.now = ticksOf(0, leaderPhase);
        acceptor.now = ticksOf(delay * speed, 0);
        granted.grant(ballot(1));
        held.extend(leader.now);
        for (let time = delay; time < 2 * leaseTicks + 2; time += 0.125) {
          leader.now = ticksOf(time, leaderPhase);
          acceptor.now = ticksOf(time * speed, 0);
          expect(held.held && !granted.forbids(ballot(2))).toBe(false);
        }
        expect(granted.forbids(ballot(1))).toBe(false);
      },
    ),
  );
});

test("after a restart an acceptor waits for a whole lease, since it may have granted one", () => {
  const context = contextOf(replicaId(2), 10, 0);
  const lease = new Lease(context, true);
  expect(lease.forbids(ballot(1))).toBe(true);
  context.now = 10;
  expect(lease.forbids(ballot(1))).toBe(false);
});

test("a lease that was given up is not taken again within the leadership; without the option there is none", () => {
  const context = contextOf(replicaId(1), 10, 0);
  const lease = new Lease(context, false);
  lease.extend(0);
  expect(lease.held).toBe(true);
  lease.surrender();
  lease.extend(0);
  expect([lease.held, lease.isDue]).toEqual([false, false]);
  lease.begin();
  lease.extend(0);
  expect(lease.held).toBe(true);
  const none = new Lease(contextOf(replicaId(1), 0, 0), true);
  none.extend(0);
  none.grant(ballot(1));
  expect([none.held, none.isDue, none.forbids(ballot(2))]).toEqual([false, false, false]);
});
