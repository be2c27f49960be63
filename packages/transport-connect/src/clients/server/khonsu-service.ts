/**
 * Khonsu for everybody: every call runs as a transaction of its own in a session on this node. Rows come and go as Arrow IPC,
 * and what comes is looked at before it is stored, since whoever sends it may not be one of us.
 */
import { create } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  type ClusterChange,
  ClusterError,
  ClusterSession,
  type ClusterTransaction,
  type ClusterTransactOptions,
  type CommitCoordinator,
  type HybridClock,
  type ShardAccess,
} from "@khonsu/cluster";
import type { KeySelection, Runtime, WriteOptions } from "@khonsu/core";
import type { CommitTimestamp } from "@khonsu/core/isolation";
import { decodeForeign, encodeBatches } from "@khonsu/core/values";
import { TransportError } from "../../errors.ts";
import * as pb from "../../gen/khonsu/client/v1/khonsu_pb.ts";
import { outcomeOf, parseOutcomeId } from "../outcome.ts";
import { type Authenticator, assertStillAdmitted } from "./principal.ts";
import { toConnectError } from "./refusal.ts";

export interface KhonsuServiceOptions {
  readonly shards: ShardAccess;
  readonly coordinator: CommitCoordinator;
  readonly clock: HybridClock;
  readonly runtime: Runtime;
  readonly authenticator: Authenticator;
  readonly onFailure: (what: string, error: unknown) => void;
  /** Operations of a transaction. */
  readonly operationsMax: number;
  /** Streams of Scan and Watch at a time, of all clients. */
  readonly streamsMax: number;
}

const ISOLATION = {
  [pb.Isolation.UNSPECIFIED]: "serializable",
  [pb.Isolation.READ_COMMITTED]: "read-committed",
  [pb.Isolation.REPEATABLE_READ]: "repeatable-read",
  [pb.Isolation.SERIALIZABLE]: "serializable",
} as const;

const ON_CONFLICT = {
  [pb.OnConflict.UNSPECIFIED]: "fail",
  [pb.OnConflict.FAIL]: "fail",
  [pb.OnConflict.IGNORE]: "ignore",
  [pb.OnConflict.REPLACE]: "replace",
  [pb.OnConflict.APPEND]: "append",
} as const;

const OUTCOME = {
  committed: pb.OutcomeClass.COMMITTED,
  "not-applied": pb.OutcomeClass.NOT_APPLIED,
  "unknown-settled": pb.OutcomeClass.UNKNOWN_SETTLED,
  "unknown-in-flight": pb.OutcomeClass.UNKNOWN_IN_FLIGHT,
} as const;

export function registerKhonsuService(router: ConnectRouter, options: KhonsuServiceOptions): void {
  const calls = new Calls(options);
  const streams = new Streams(options.streamsMax);
  const toError = (what: string) => (error: unknown) =>
    toConnectError(error, (inner) => options.onFailure(what, inner));
  const call =
    <I, O>(what: string, run: (request: I) => Promise<O>) =>
    (request: I): Promise<O> =>
      run(request).catch((error: unknown) => {
        throw toError(what)(error);
      });
  const implementation: ServiceImpl<typeof pb.KhonsuService> = {
    get: call("Get", (request) => calls.get(request)),
    put: call("Put", (request) => calls.put(request)),
    delete: call("Delete", (request) => calls.delete(request)),
    transact: call("Transact", (request) => calls.transact(request)),
    outcome: call("Outcome", (request) => calls.outcome(request)),
    scan: (request, context) => streams.run(calls.scan(request, context), toError("Scan")),
    watch: (request, context) => streams.run(calls.watch(request, context), toError("Watch")),
  };
  router.service(pb.KhonsuService, implementation);
}

/** Streams that are open, counted. */
class Streams {
  readonly #most: number;
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  async *run<T>(
    stream: AsyncGenerator<T>,
    toError: (error: unknown) => unknown,
  ): AsyncGenerator<T, void, undefined> {
    try {
      if (this.#count >= this.#most) {
        const message = `Cannot open the stream: ${this.#most} scans and watches are open`;
        throw new TransportError("KHONSU_OVERLOADED", message);
      }
      this.#count++;
      try {
        yield* stream;
      } finally {
        this.#count--;
      }
    } catch (error) {
      throw toError(error);
    }
  }
}

class Calls {
  readonly #options: KhonsuServiceOptions;

  constructor(options: KhonsuServiceOptions) {
    this.#options = options;
  }

  get({ key }: pb.GetRequest): Promise<pb.GetResponse> {
    return this.#session().transact((tx) => readKey(tx, key), { readOnly: true });
  }

  async put(request: pb.PutRequest): Promise<pb.PutResponse> {
    const batch = decodeForeign(request.rows);
    const timestamp = await this.#commit((tx) => tx.write(request.key, batch, expectationOf(request.expect)));
    return create(pb.PutResponseSchema, { timestamp });
  }

  async delete({ key, expect }: pb.DeleteRequest): Promise<pb.DeleteResponse> {
    const timestamp = await this.#commit((tx) => tx.delete(key, expectationOf(expect)));
    return create(pb.DeleteResponseSchema, { timestamp });
  }

  async transact(request: pb.TransactRequest): Promise<pb.TransactResponse> {
    const { operations, isolation, onConflict, keyColumn, retriesMax } = request;
    const { operationsMax } = this.#options;
    if (operations.length < 1 || operations.length > operationsMax) {
      throw malformed(`a transaction has 1 to ${operationsMax} operations, this has ${operations.length}`);
    }
    const steps = operations.map(({ operation }) => toStep(operation));
    const gets: pb.GetResponse[] = [];
    const timestamp = await this.#commit(
      async (tx) => {
        gets.length = 0;
        for (const step of steps) {
          const got = await step(tx);
          if (got !== undefined) gets.push(got);
        }
      },
      {
        isolation: nameOf(ISOLATION, isolation, "an isolation level"),
        onConflict: nameOf(ON_CONFLICT, onConflict, "a resolution"),
        keyColumn,
        maxRetries: retriesMax,
      },
    );
    const isWrite = operations.some(
      ({ operation }) => operation.case !== "get" && operation.case !== "expect",
    );
    return create(pb.TransactResponseSchema, { gets, ...(isWrite && { timestamp }) });
  }

  async outcome({ transactionId }: pb.OutcomeRequest): Promise<pb.OutcomeResponse> {
    const id = parseOutcomeId(transactionId, this.#options.shards.placement);
    const { outcome, timestamp } = await outcomeOf(this.#options.coordinator, id);
    const response = create(pb.OutcomeResponseSchema, { outcome: OUTCOME[outcome] });
    if (timestamp !== undefined) response.timestamp = BigInt(timestamp);
    return response;
  }

  /** A snapshot and no more than that: what was sent could not be taken back if it did not hold to the end. */
  async *scan(request: pb.ScanRequest, context: HandlerContext): AsyncGenerator<pb.ScanResponse> {
    const { limit, reverse } = request;
    const selection = selectionOf(request.selection);
    const session = this.#session();
    // As new as this node knows, so that who has just written finds it.
    session.observe(this.#options.clock.next());
    using tx = session.begin({ readOnly: true, consistency: "snapshot" });
    for await (const [key, batch] of tx.scan({ ...selection, reverse, ...(limit > 0 && { limit }) })) {
      assertStillAdmitted(this.#options.authenticator, context);
      yield create(pb.ScanResponseSchema, { key, rows: encodeBatches([batch]) });
    }
  }

  /** First where it begins, then what is committed. */
  async *watch(request: pb.WatchRequest, context: HandlerContext): AsyncGenerator<pb.WatchResponse> {
    const { fromTimestamp, resume } = request;
    const watch = this.#session().watch({
      ...selectionOf(request.selection),
      signal: context.signal,
      ...(fromTimestamp !== undefined && { fromTimestamp: toTimestamp(fromTimestamp) }),
      ...(Object.keys(resume).length > 0 && { resume: mapped(resume, toTimestamp) }),
    });
    // Where the request says it, there is nothing to wait for.
    if (watch.position === undefined) await watch.started;
    const position = mapped(watch.position ?? {}, BigInt);
    yield create(pb.WatchResponseSchema, { position });
    for await (const { shard, timestamp, changes } of watch) {
      assertStillAdmitted(this.#options.authenticator, context);
      const fields = { shard, timestamp: BigInt(timestamp), changes: changes.map(fromChange) };
      yield create(pb.WatchResponseSchema, fields);
    }
  }

  #session(): ClusterSession {
    return new ClusterSession(this.#options);
  }

  /** @returns the commit timestamp */
  #commit(
    body: (tx: ClusterTransaction) => void | Promise<void>,
    options: ClusterTransactOptions = {},
  ): Promise<bigint> {
    let committed = 0n;
    const noting = async (tx: ClusterTransaction) => {
      await body(tx);
      tx.onCommit((timestamp) => {
        committed = BigInt(timestamp);
      });
    };
    return this.#session()
      .transact(noting, options)
      .then(() => committed);
  }
}

/** Resolves with what was read, if anything was. */
type Step = (tx: ClusterTransaction) => Promise<pb.GetResponse | undefined>;

/** What an operation does; rows are decoded here, before anything is begun. */
function toStep(operation: pb.Operation["operation"]): Step {
  switch (operation.case) {
    case "get": {
      const { key } = operation.value;
      return (tx) => readKey(tx, key);
    }
    case "put": {
      const { key, rows, expect } = operation.value;
      const batch = decodeForeign(rows);
      return silently((tx) => tx.write(key, batch, expectationOf(expect)));
    }
    case "delete": {
      const { key, expect } = operation.value;
      return silently((tx) => tx.delete(key, expectationOf(expect)));
    }
    case "append":
    case "upsert": {
      const { key, rows } = operation.value;
      const batch = decodeForeign(rows);
      return silently((tx) => (operation.case === "append" ? tx.append(key, batch) : tx.upsert(key, batch)));
    }
    case "expect": {
      const { key, expect } = operation.value;
      const expected = expectationOf(expect);
      if (expected === undefined) throw malformed(`nothing is expected of ${JSON.stringify(key)}`);
      return silently((tx) => assertAsExpected(tx, key, expected));
    }
    case undefined:
      throw malformed("an operation is empty");
  }
}

function silently(step: (tx: ClusterTransaction) => void | Promise<void>): Step {
  return async (tx) => {
    await step(tx);
    return undefined;
  };
}

async function readKey(tx: ClusterTransaction, key: string): Promise<pb.GetResponse> {
  const batch = await tx.read(key);
  const response = create(pb.GetResponseSchema, { version: BigInt((await tx.version(key)) ?? 0) });
  if (batch !== undefined) response.rows = encodeBatches([batch]);
  return response;
}

async function assertAsExpected(
  tx: ClusterTransaction,
  key: string,
  { ifVersion }: WriteOptions,
): Promise<void> {
  const version = await tx.version(key);
  if (version === ifVersion) return;
  const name = JSON.stringify(key);
  const message = `Cannot commit: ${name} is ${version === undefined ? "absent" : `of ${version}`}`;
  throw new ClusterError("KHONSU_VERSION_MISMATCH", message, { conflicts: [{ kind: "version", key }] });
}

function expectationOf(expect: pb.Expectation | undefined): WriteOptions | undefined {
  switch (expect?.state.case) {
    case "version":
      return { ifVersion: toTimestamp(expect.state.value) };
    case "absent":
      if (!expect.state.value) throw malformed('"absent" can only be true');
      return { ifAbsent: true };
    case undefined:
      return undefined;
  }
}

function selectionOf(selection: pb.Selection | undefined): KeySelection {
  const { key, prefix, from, to } = selection ?? {};
  // What contradicts itself is found, and told, by whoever takes it.
  return { key, prefix, from, to } as KeySelection;
}

function fromChange({ key, batch }: ClusterChange): pb.Change {
  const change = create(pb.ChangeSchema, { key });
  if (batch !== undefined) change.rows = encodeBatches([batch]);
  return change;
}

function toTimestamp(value: bigint): CommitTimestamp {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`a timestamp is too large: ${value}`);
  return Number(value) as CommitTimestamp;
}

function mapped<A, B>(values: Readonly<Record<string, A>>, map: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, map(value)]));
}

function nameOf<N>(names: Readonly<Record<number, N>>, value: number, what: string): N {
  const name = names[value];
  if (name === undefined) throw malformed(`${what} is ${value}`);
  return name;
}

function malformed(why: string): ClusterError {
  return new ClusterError("KHONSU_REQUEST_MALFORMED", `Cannot serve the request: ${why}`);
}
