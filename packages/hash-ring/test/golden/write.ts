/** Writes `vectors.json` anew. Only for a change that is meant to move data: see `golden.test.ts`. */
import { writeFileSync } from "node:fs";
import { goldenVectors } from "./vectors.ts";

writeFileSync(
  new URL("./vectors.json", import.meta.url),
  `${JSON.stringify(goldenVectors(), undefined, 1)}\n`,
);
