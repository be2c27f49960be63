/**
 * Khonsu for everybody: every call runs as a transaction of its own in a session on this node. Rows come and go as Arrow IPC,
 * and what comes is looked at before it is stored, since whoever sends it may not be one of us.
 */
import { create } from "@bufbuild/protobuf";
import type { ConnectRouter, HandlerContext, ServiceImpl } from "@connectrpc/connect";
import {
  ClusterSession,
  type ClusterTransaction,
  type ClusterTransactOptions,
  type CommitCoordinator,
  type HybridClock,
  type ShardAccess,
} from "@khonsu/cluster";
import type { Runtime } from "@khonsu/core";
import { decodeForeign, encodeBatches } from "@khonsu/core/values";
import * as pb from "../../gen/khonsu/client/v1/khonsu_pb.ts";
import { outcomeOf, parseOutcomeId } from "../outcome.ts";
import { OpenStreams } from "./open-streams.ts";
import {
  expectationOf,
  fromChange,
  ISOLATION,
  malformed,
  mapped,
  nameOf,
  ON_CONFLICT,
  readKey,
  selectionOf,
  toStep,
  toTimestamp,
} from "./operations.ts";
import { type Authenticator, admissionKey, assertStillAdmitted } from "./principal.ts";
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

const OUTCOME = {
  committed: pb.OutcomeClass.COMMITTED,
  "not-applied": pb.OutcomeClass.NOT_APPLIED,
  "unknown-settled": pb.OutcomeClass.UNKNOWN_SETTLED,
  "unknown-in-flight": pb.OutcomeClass.UNKNOWN_IN_FLIGHT,
} as const;

export function registerKhonsuService(router: ConnectRouter, options: KhonsuServiceOptions): void {
  const calls = new Calls(options);
  const streams = new OpenStreams(options.streamsMax);
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
      assertStillAdmitted(this.#options.authenticator, context.values.get(admissionKey));
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
      assertStillAdmitted(this.#options.authenticator, context.values.get(admissionKey));
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
