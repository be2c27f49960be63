/** Three nodes in one process, each on its own port and directory: what is written through one is read through any of them. */
import { join } from "node:path";
import { type RunningNode, startNode } from "@khonsu/node";
import { type RecordBatch, tableFromArrays } from "apache-arrow";

export interface Told {
  /** Rows that were read through the second node. */
  readonly readElsewhere: number;
  /** Rows that were read through the third node after it was restarted. */
  readonly readAfterRestart: number;
}

/** @param directory of the nodes' data. @param ports one for each node. */
export async function threeNodes(directory: string, ports: readonly number[]): Promise<Told> {
  const found = ports.map((port, index) => ({ node: index + 1, address: `127.0.0.1:${port}` }));
  // Embedding is three lines: start a node, use it, stop it.
  const start = (node: number): Promise<RunningNode> =>
    startNode({
      node,
      cluster: "three-nodes",
      data: join(directory, `${node}`),
      found,
      listen: { port: ports[node - 1]! },
      log: { level: "error" },
    });

  // Founders wait for one another, so they are started together.
  const nodes = await Promise.all([start(1), start(2), start(3)]);
  try {
    const [one, two, three] = nodes as [RunningNode, RunningNode, RunningNode];
    await one.transact((tx) => tx.write("measurements", measurements()));
    const readElsewhere = await rowsThrough(two);

    await three.stop();
    // A majority goes on meanwhile.
    await one.transact((tx) => tx.append("measurements", measurements(), { keyColumn: null }));
    nodes[2] = await start(3);
    return { readElsewhere, readAfterRestart: await rowsThrough(nodes[2]) };
  } finally {
    await Promise.all(nodes.map((node) => node.stop()));
  }
}

function rowsThrough(node: RunningNode): Promise<number> {
  return node.transact(async (tx) => (await tx.read("measurements"))?.numRows ?? 0, { readOnly: true });
}

function measurements(): RecordBatch {
  const table = tableFromArrays({ at: Float64Array.of(1, 2, 3), celsius: Float32Array.of(20.5, 21, 20.75) });
  return table.batches[0]!;
}
