// Each check is shown a history that breaks its rule, and the nearest one that does not.

import {
  type Ballot,
  type Configuration,
  type DecidedEntry,
  type Entry,
  type Envelope,
  type Message,
  replicaId,
  type Slot,
  type Status,
  ZERO_BALLOT,
} from "@khonsu/paxos";
import { describe, expect, test } from "vitest";
import { AcceptorCheck } from "./acceptor-check.ts";
import { ChosenLog } from "./chosen-log.ts";
import { ReplicaCheck } from "./replica-check.ts";

const [one, two, three] = [replicaId(1), replicaId(2), replicaId(3)];
const genesis: Configuration = { voters: [one, two, three], learners: [], retired: [], quorums: "majority" };
const ballot = (round: number, replica = one): Ballot => ({ round, priority: 0, replica });
const command = (sequence: number, byte = 0): Extract<Entry, { kind: "command" }> => ({
  kind: "command",
  client: 1,
  sequence,
  command: Uint8Array.of(byte),
  checksum: 0,
});
const noop: Entry = { kind: "noop", checksum: 0 };

function setup(isProposed: (identity: string) => boolean = () => true) {
  const chosen = new ChosenLog(genesis, isProposed);
  const acceptors = new AcceptorCheck(chosen);
  const replicas = new ReplicaCheck(chosen, acceptors);
  const accept = (replica: number, slot: number, round: number, entry: Entry) =>
    acceptors.durable(
      replica,
      { kind: "accepted", ballot: ballot(round), first: slot as Slot, entries: [] },
      entry,
    );
  const promise = (replica: number, round: number) =>
    acceptors.durable(replica, { kind: "promised", ballot: ballot(round) }, undefined);
  const sent = (message: Message) => acceptors.sent({ from: one, to: two, message } satisfies Envelope);
  const deliver = (replica: number, slot: number, entry: DecidedEntry) =>
    replicas.delivered(replica, slot, slot - 1, entry);
  return { chosen, acceptors, replicas, accept, promise, sent, deliver };
}

const failsWith = (check: string) => expect.objectContaining({ check, kind: "safety" });

function status(overrides: Partial<Record<keyof Status, unknown>>): Status {
  const base = {
    replica: one,
    role: "follower",
    promised: ZERO_BALLOT,
    trimmed: 0,
    checkpoint: 0,
    applied: 0,
    decided: 0,
  };
  return { ...base, ...overrides } as unknown as Status;
}

describe("chosen log", () => {
  test("decided needs an accept quorum of distinct voters under one ballot", () => {
    const { accept, chosen } = setup();
    accept(one, 1, 1, command(1));
    accept(one, 1, 1, command(1));
    accept(two, 1, 2, command(1));
    accept(replicaId(9), 1, 1, command(1));
    expect(() => chosen.requireChosen(1, "a replica")).toThrowError(failsWith("decided-not-durable"));
    accept(three, 1, 1, command(1));
    chosen.requireChosen(1, "a replica");
    expect(chosen.at(1)?.identity).toMatch(/^command 1\.1 /);
  });

  test("a chosen value is not replaced under a later ballot, whichever of the two is seen first", () => {
    const early = setup();
    early.accept(one, 1, 1, command(1));
    early.accept(two, 1, 1, command(1));
    early.chosen.requireChosen(1, "a replica");
    early.accept(three, 1, 2, command(1));
    expect(() => early.accept(three, 1, 3, noop)).toThrowError(failsWith("chosen-value-changed"));
    const late = setup();
    late.accept(three, 1, 2, noop);
    late.accept(one, 1, 1, command(1));
    late.accept(two, 1, 1, command(1));
    expect(() => late.chosen.requireChosen(1, "a replica")).toThrowError(failsWith("chosen-value-changed"));
  });

  test("a ballot has one value a slot", () => {
    const { accept } = setup();
    accept(one, 1, 1, command(1));
    expect(() => accept(two, 1, 1, command(2))).toThrowError(failsWith("one-value-a-ballot"));
  });

  test("a value that no client asked for is found", () => {
    const { accept, chosen } = setup((identity) => !identity.startsWith("command 1.2"));
    accept(one, 1, 1, command(2));
    accept(two, 1, 1, command(2));
    expect(() => chosen.requireChosen(1, "a replica")).toThrowError(failsWith("not-proposed"));
  });

  test("a membership entry governs the slots after its own", () => {
    const { accept, chosen } = setup();
    const after: Configuration = { ...genesis, voters: [one, two] };
    for (const replica of [one, three])
      accept(replica, 1, 1, { kind: "membership", configuration: after, checksum: 0 });
    accept(one, 2, 1, noop);
    accept(three, 2, 1, noop);
    expect(chosen.pendingConfigurations).toEqual([after]);
    expect(() => chosen.requireChosen(2, "a replica")).toThrowError(failsWith("decided-not-durable"));
    expect(chosen.configuration).toEqual(after);
    accept(two, 2, 1, noop);
    chosen.requireChosen(2, "a replica");
  });
});

describe("acceptor check", () => {
  test("promises on disk never go down, and nothing is accepted below them", () => {
    const { accept, promise } = setup();
    promise(one, 5);
    promise(one, 5);
    expect(() => promise(one, 4)).toThrowError(failsWith("promise-went-down"));
    accept(one, 1, 5, noop);
    expect(() => accept(one, 2, 4, noop)).toThrowError(failsWith("accept-below-promise"));
  });

  test("a ballot is used once it is durable", () => {
    const { promise, sent } = setup();
    const ask = (round: number): Message => ({
      kind: "prepare",
      ballot: ballot(round),
      from: 1 as Slot,
      transfer: false,
    });
    expect(() => sent(ask(2))).toThrowError(failsWith("ballot-not-durable"));
    promise(one, 1);
    expect(() => sent(ask(2))).toThrowError(failsWith("ballot-not-durable"));
    promise(one, 2);
    sent(ask(2));
  });

  test("a promise leaves once it is durable, and tells all that was accepted", () => {
    const { accept, promise, sent } = setup();
    const answer = (round: number, slots: readonly number[], doubtful: readonly number[] = []): Message => ({
      kind: "promise",
      ballot: ballot(round),
      decided: 0 as Slot,
      from: 1 as Slot,
      through: 0 as Slot,
      entries: slots.map((slot) => ({ slot: slot as Slot, ballot: ballot(1), entry: noop })),
      doubtful: doubtful as readonly Slot[],
      doubtBound: ZERO_BALLOT,
    });
    expect(() => sent(answer(2, []))).toThrowError(failsWith("promise-not-durable"));
    accept(one, 1, 1, noop);
    accept(one, 2, 1, noop);
    promise(one, 2);
    expect(() => sent(answer(2, [1]))).toThrowError(failsWith("promise-hides-entry"));
    sent(answer(2, [1], [2]));
    sent(answer(2, [1, 2]));
  });

  test("accepted leaves once every slot that it covers is durable under that ballot, or decided", () => {
    const { accept, chosen, sent } = setup();
    const answer = (round: number, through: number): Message => ({
      kind: "accepted",
      ballot: ballot(round),
      through: through as Slot,
      decided: 0 as Slot,
    });
    accept(one, 1, 1, noop);
    accept(one, 2, 2, noop);
    expect(() => sent(answer(2, 2))).toThrowError(failsWith("accepted-not-durable"));
    accept(two, 1, 1, noop);
    chosen.requireChosen(1, "a replica");
    sent(answer(2, 2));
    expect(() => sent(answer(2, 3))).toThrowError(failsWith("accepted-not-durable"));
  });
});

describe("replica check", () => {
  const decidedOne = () => {
    const system = setup();
    for (const replica of [one, two])
      for (const slot of [1, 2, 3]) system.accept(replica, slot, 1, command(slot));
    return system;
  };

  test("indexes are in order and never go back; promises never go down", () => {
    const { acceptors, promise, replicas } = decidedOne();
    const good = { trimmed: 1, checkpoint: 1, applied: 2, decided: 3, promised: ballot(3) };
    replicas.stepped(status(good));
    replicas.stepped(status({ ...good, applied: 0 }));
    const bad = (overrides: object) => () => replicas.stepped(status({ ...good, ...overrides }));
    expect(bad({ trimmed: 2 })).toThrowError(failsWith("index-order"));
    expect(bad({ applied: 4 })).toThrowError(failsWith("index-order"));
    expect(bad({ checkpoint: 3, applied: 2, trimmed: 4 })).toThrowError(failsWith("index-order"));
    expect(bad({ decided: 4 })).toThrowError(failsWith("decided-not-durable"));
    expect(bad({ decided: 2 })).toThrowError(failsWith("index-went-back"));
    expect(bad({ promised: ballot(2) })).toThrowError(failsWith("promise-went-down"));
    promise(one, 2);
    acceptors.forget(one);
    replicas.started(one);
    expect(() => replicas.stepped(status({ promised: ballot(1) }))).toThrowError(
      failsWith("promise-forgotten"),
    );
    replicas.stepped(status({ promised: ballot(2) }));
  });

  test("state machines get the chosen log, in order, each command once", () => {
    const { deliver, replicas, accept } = decidedOne();
    deliver(one, 1, command(1));
    expect(() => deliver(two, 1, command(2))).toThrowError(failsWith("agreement"));
    expect(() =>
      deliver(two, 1, { kind: "duplicate", client: 1, sequence: 1, appliedAt: 0 as Slot }),
    ).toThrowError(failsWith("agreement"));
    expect(() => replicas.delivered(one, 3, 1, command(3))).toThrowError(failsWith("applied-out-of-order"));
    for (const replica of [one, two]) accept(replica, 4, 1, command(1));
    for (const slot of [2, 3]) deliver(one, slot, command(slot));
    deliver(two, 4, { kind: "duplicate", client: 1, sequence: 1, appliedAt: 1 as Slot });
    const other = decidedOne();
    for (const replica of [one, two]) other.accept(replica, 4, 1, command(1));
    for (const slot of [1, 2, 3]) other.deliver(one, slot, command(slot));
    expect(() => other.deliver(one, 4, command(1))).toThrowError(failsWith("applied-twice"));
  });

  test("state hashes are equal at equal indexes", () => {
    const { replicas } = setup();
    replicas.applied(one, 1, 7);
    replicas.applied(two, 1, 7);
    replicas.applied(two, 2, 8);
    expect(() => replicas.applied(three, 2, 9)).toThrowError(failsWith("state-hash"));
  });
});
