/**
 * Records in etcd, as JSON, in the transactions that it has: what a writer has read is compared, and if nothing of it has changed all that it wrote is
 * put, in one call; else the body runs again. That is serializable for keys that are read one by one. A reader that writes nothing reads
 * all at the revision of its first read. Ranges are not compared, so writers that scan are not for it.
 */
import type { Etcd3, IKeyValue } from "etcd3";
import { etcdClient } from "../cluster/etcd-cluster.ts";
import type { RecordOf } from "../workloads/record-type.ts";
import type { Columns, RecordStore, Records } from "../workloads/records.ts";

/** As a session of Khonsu waits before it tries again, in milliseconds. */
const BACKOFF_CAP_MS = 200;
/** What a member takes in one transaction by default; only loading writes more, and need not be one. */
const OPERATIONS_MAX = 128;
/** Records of a scan in one answer, which must stay below 4 MiB. */
const PAGE = 1000;

export function etcdRecords<S extends Columns>(addresses: readonly string[]): RecordStore<S> & Disposable {
  // Without a deadline: a commit that was given up may have taken effect.
  const client = etcdClient(addresses, Number.POSITIVE_INFINITY);
  return {
    async transact(body, { readOnly = false } = {}) {
      for (let attempt = 0; ; attempt++) {
        const records = new EtcdRecords<S>(client, readOnly);
        const result = await body(records);
        if (await records.commit()) return result;
        await pause(Math.random() * Math.min(BACKOFF_CAP_MS, 2 ** attempt));
      }
    },
    [Symbol.dispose]: () => client.close(),
  };
}

/** One attempt. */
class EtcdRecords<S extends Columns> implements Records<S> {
  readonly #client: Etcd3;
  readonly #isReadOnly: boolean;
  /** By key, the revision that last changed it; 0 where there was none. */
  readonly #read = new Map<string, number>();
  readonly #written = new Map<string, RecordOf<S>>();
  #revision: Promise<string> | undefined;

  constructor(client: Etcd3, isReadOnly: boolean) {
    this.#client = client;
    this.#isReadOnly = isReadOnly;
  }

  async get(key: string): Promise<RecordOf<S> | undefined> {
    const written = this.#written.get(key);
    if (written !== undefined) return written;
    const request = this.#client.get(key);
    const { kvs } = await (this.#isReadOnly ? this.#atOneRevision(request) : request.exec());
    this.#read.set(key, Number(kvs[0]?.mod_revision ?? 0));
    return kvs[0] === undefined ? undefined : recordIn(kvs[0]);
  }

  put(key: string, record: RecordOf<S>): void {
    this.#written.set(key, record);
  }

  add(key: string, record: RecordOf<S>): void {
    this.put(key, record);
  }

  async *scan(from: string, limit: number): AsyncIterable<RecordOf<S>> {
    if (!this.#isReadOnly) throw new Error("A writer cannot compare what it scans");
    let start = from;
    for (let left = limit; left > 0; ) {
      const size = Math.min(left, PAGE);
      // The end that stands for all keys from the start on.
      const request = this.#client.getAll().inRange({ start, end: "\0" }).limit(size);
      const { kvs } = await this.#atOneRevision(request);
      for (const kv of kvs) yield recordIn(kv);
      if (kvs.length < size) return;
      start = `${kvs.at(-1)!.key.toString()}\0`;
      left -= kvs.length;
    }
  }

  /** Whether nothing that was read has changed; if so, what was written is there. */
  async commit(): Promise<boolean> {
    const puts = [...this.#written].map(([key, record]) =>
      this.#client.put(key).value(JSON.stringify(record)),
    );
    if (puts.length === 0) return true;
    const [first, ...others] = this.#read;
    if (first === undefined) {
      for (let from = 0; from < puts.length; from += OPERATIONS_MAX) {
        const part = puts.slice(from, from + OPERATIONS_MAX);
        const [key] = [...this.#written.keys()].slice(from, from + 1);
        await this.#client
          .if(key!, "Version", ">", -1)
          .then(...part)
          .commit();
      }
      return true;
    }
    const compared = this.#client.if(first[0], "Mod", "==", first[1]);
    for (const [key, revision] of others) compared.and(key, "Mod", "==", revision);
    const { succeeded } = await compared.then(...puts).commit();
    return succeeded;
  }

  /** The first of these reads what is newest, and the others what was there then. */
  async #atOneRevision(request: Request): Promise<Answer> {
    if (this.#revision !== undefined) return request.revision(await this.#revision).exec();
    const answer = request.exec();
    this.#revision = answer.then(({ header }) => header.revision);
    return answer;
  }
}

type Request = ReturnType<Etcd3["get"]> | ReturnType<Etcd3["getAll"]>;
type Answer = Awaited<ReturnType<Request["exec"]>>;

function recordIn<S extends Columns>({ value }: IKeyValue): RecordOf<S> {
  return JSON.parse(value.toString()) as RecordOf<S>;
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
