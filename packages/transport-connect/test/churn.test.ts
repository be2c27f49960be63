/**
 * Nodes that come, go, and hear of each other in any order: nothing throws, each question ends once, and when it is quiet
 * every pair has one link, the same for both.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, introduce, startNode, stopAll, type TestNode, text, until, up } from "./helpers/nodes.ts";

const NODES = [1, 2, 3, 4];
const node = fc.constantFrom(...NODES);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("start" as const), node }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("stop" as const), node }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("introduce" as const), node, other: node }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("ask" as const), node, other: node }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("wait" as const), turns: fc.nat(20) }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

class Churn {
  readonly nodes = new Map<number, TestNode>();
  readonly known = new Map<number, Map<number, string>>();
  /** What became of each question. */
  readonly asked: Promise<string>[] = [];

  async take(what: Step): Promise<void> {
    switch (what.kind) {
      case "start":
        if (!this.nodes.has(what.node)) await this.start(what.node);
        break;
      case "stop":
        await this.nodes.get(what.node)?.stop();
        this.nodes.delete(what.node);
        break;
      case "introduce":
        this.introduce(what.node, what.other);
        break;
      case "ask":
        this.ask(what.node, what.other);
        break;
      case "wait":
        for (let i = 0; i < what.turns; i++) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async start(id: number): Promise<void> {
    this.known.set(id, new Map());
    this.nodes.set(id, await startNode(id, { limits: { courtesyMs: 3, heartbeatMs: 20 } }));
  }

  /** Tells one node the address of another. */
  introduce(to: number, of: number): void {
    const [told, other] = [this.nodes.get(to), this.nodes.get(of)];
    if (told === undefined || other === undefined) return;
    const known = this.known.get(to)!;
    known.set(of, other.address);
    told.network.setPeers(known);
  }

  ask(from: number, to: number): void {
    const asking = this.nodes.get(from);
    if (asking === undefined) return;
    const answer = asking.network.ask(to, "shard", bytes("?"), 5000).then(
      (body) => text(body),
      ({ code }: { code: string }) => code,
    );
    this.asked.push(
      answer.then((outcome) => (outcome === `${to} to ${from}: shard ?` ? "answered" : outcome)),
    );
  }
}

const OUTCOMES = new Set(["answered", "KHONSU_PEER_UNREACHABLE", "KHONSU_TRANSPORT_CLOSED"]);

test("whatever came before, all pairs are linked in the end", async () => {
  await fc.assert(
    fc
      .asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const churn = new Churn();
        for (const each of steps) await churn.take(each);
        for (const id of NODES) if (!churn.nodes.has(id)) await churn.start(id);
        const nodes = [...churn.nodes.values()];
        introduce(...nodes);
        await up(...nodes);
        const links = (of: TestNode) => of.network.status().map(({ link, node }) => [node, link?.dialledBy]);
        await until(() =>
          nodes.every((a) =>
            links(a).every(([other, dialledBy]) => {
              const b = churn.nodes.get(other!)!;
              return links(b).some(([back, same]) => back === a.node && same === dialledBy);
            }),
          ),
        );
        for (const outcome of await Promise.all(churn.asked)) expect(OUTCOMES).toContain(outcome);
        for (const a of NODES) for (const b of NODES) churn.ask(a, b);
        expect(new Set(await Promise.all(churn.asked.slice(-16)))).toEqual(new Set(["answered"]));
      })
      .afterEach(stopAll),
    { numRuns: 12 },
  );
});
