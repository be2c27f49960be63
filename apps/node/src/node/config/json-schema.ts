/** The schema of the configuration as JSON Schema. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { configSchema } from "./schema.ts";

export const SCHEMA_FILE = fileURLToPath(new URL("../../../khonsu.config.schema.json", import.meta.url));

export function jsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(configSchema, { io: "input" }), undefined, 2)}\n`;
}
