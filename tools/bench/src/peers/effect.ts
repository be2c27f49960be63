/** Effect's software transactional memory: a `TxRef` a key, read and written inside `Effect.tx`. */
import { Effect, TxRef } from "effect";
import type { Subject } from "../compare.ts";
import { pickKeys } from "../workload.ts";
import type { PeerData } from "./peer-data.ts";

export function effectSubject({ keys, batch }: PeerData): Subject {
  return {
    name: "effect 4 TxRef",
    prepare: () => {
      const refs = new Map(keys.map((key) => [key, TxRef.makeUnsafe(batch)]));
      const next = pickKeys(keys);
      const transaction = Effect.tx(
        Effect.gen(function* () {
          const a = refs.get(next())!;
          const b = refs.get(next())!;
          yield* TxRef.get(a);
          yield* TxRef.get(b);
          yield* TxRef.set(a, batch);
          yield* TxRef.set(b, batch);
        }),
      );
      return {
        run: async (operations) => {
          for (let i = 0; i < operations; i++) await Effect.runPromise(transaction);
        },
      };
    },
  };
}
