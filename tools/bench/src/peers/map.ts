/** A plain `Map` without transactions: the limit of what a store of objects in one thread can do. */
import type { RecordBatch } from "apache-arrow";
import type { Subject } from "../compare.ts";
import { pickKeys } from "../workload.ts";
import type { PeerData } from "./peer-data.ts";

export function mapSubject({ keys, batch }: PeerData): Subject {
  return {
    name: "plain Map, no transactions",
    prepare: () => {
      const map = new Map<string, RecordBatch>(keys.map((key) => [key, batch]));
      const next = pickKeys(keys);
      let rows = 0;
      return {
        run: (operations) => {
          for (let i = 0; i < operations; i++) {
            const a = next();
            const b = next();
            rows += map.get(a)!.numRows + map.get(b)!.numRows;
            map.set(a, batch);
            map.set(b, batch);
          }
        },
        close: () => {
          if (rows === 0) throw new Error("The reads were optimised away");
        },
      };
    },
  };
}
