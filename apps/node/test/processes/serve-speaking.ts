/**
 * `khonsu serve` of another release, as far as others see it: a node that speaks the versions of the protocol between nodes that
 * `--speaks=1-2` says, for upgrades of one node after another.
 */
import { parseArgs } from "node:util";
import { loadConfig } from "../../src/node/config/load.ts";
import { startNode } from "../../src/node/start-node.ts";

const { values } = parseArgs({
  options: { config: { type: "string" }, speaks: { type: "string", default: "1-1" } },
});
const [min, max] = values.speaks.split("-").map(Number) as [number, number];

const node = await startNode(await loadConfig({ file: values.config }), { peerProtocol: { min, max } });
let isStopping = false;
process.on("SIGTERM", () => {
  isStopping = true;
  void node.stop().then(() => process.exit());
});
try {
  await node.ready();
  process.stdout.write(`khonsu: node ${node.node} serves at ${node.address}\n`);
} catch (error) {
  if (!isStopping) throw error;
}
