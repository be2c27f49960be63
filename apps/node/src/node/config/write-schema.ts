/** Writes `khonsu.config.schema.json`, for editors: `pnpm --filter @khonsu/node run config-schema`. */
import { writeFileSync } from "node:fs";
import { jsonSchema, SCHEMA_FILE } from "./json-schema.ts";

writeFileSync(SCHEMA_FILE, jsonSchema());
