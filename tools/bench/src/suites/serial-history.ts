// A history as a perfect store would leave it: many clients at once, each transaction at one instant between invocation and
// completion. Made as fast as possible, so that the checkers can be given millions of transactions.
import type { Key, MicroOp, Observed, Operation, Value } from "@khonsu/testkit/history";
import { Prng } from "@khonsu/testkit/simulator";
import type { Workload } from "@khonsu/testkit/workloads";

interface Client {
  invoke: number;
  /** Steps with results once executed. */
  ops: readonly MicroOp[] | undefined;
  isExecuted: boolean;
}

/** Yields operations in order of completion. */
export function* serialHistory(
  workload: Workload,
  transactions: number,
  processes: number,
): Generator<Operation> {
  const random = new Prng("serial-history");
  const clients = Array.from(
    { length: processes },
    (): Client => ({ invoke: 0, ops: undefined, isExecuted: false }),
  );
  const store = new Map<Key, Value[]>();
  let time = 0;
  let started = 0;
  for (let completed = 0; completed < transactions; ) {
    const process = random.integer(0, processes - 1);
    const client = clients[process]!;
    if (client.ops === undefined) {
      if (started === transactions) continue;
      started++;
      client.ops = workload.next().ops;
      client.invoke = time++;
    } else if (!client.isExecuted) {
      client.ops = client.ops.map((op) => execute(store, op));
      client.isExecuted = true;
    } else {
      yield { process, invoke: client.invoke, complete: time++, outcome: "ok", ops: client.ops };
      clients[process] = { invoke: 0, ops: undefined, isExecuted: false };
      completed++;
    }
  }
}

function execute(store: Map<Key, Value[]>, op: MicroOp): MicroOp {
  if (op[0] === "append") {
    const list = store.get(op[1]) ?? [];
    store.set(op[1], list);
    list.push(op[2]);
    return op;
  }
  if (op[0] !== "r") throw new Error(`A history of lists has no ${op[0]}`);
  const seen: Observed = store.get(op[1])?.slice() ?? null;
  return ["r", op[1], seen];
}
