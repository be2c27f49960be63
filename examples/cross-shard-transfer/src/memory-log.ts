/** The least that is a `Consensus`: one replica, in memory. A cluster would have `@khonsu/paxos` here; see `single-node-log` for a disk. */
import type { Consensus, LogApplication } from "@khonsu/cluster";

export function memoryLog(application: LogApplication, self: number): Consensus {
  let applied = 0;
  return {
    propose: async (command) => application.apply(++applied, command),
    readBarrier: async () => {},
    status: () => ({ isLeader: true, leader: self, applied }),
  };
}
