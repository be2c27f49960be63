/** What a line of a script says. */
import type { RecordBatch } from "apache-arrow";

export type Expectation =
  | { readonly kind: "absent" }
  | { readonly kind: "exists" }
  | { readonly kind: "version"; readonly version: number }
  | { readonly kind: "rows"; readonly rows: RecordBatch };

export type Operation = { readonly line: number; readonly key: string } & (
  | { readonly verb: "get" | "delete" | "scan" }
  | { readonly verb: "put" | "append" | "upsert"; readonly rows: RecordBatch }
  | { readonly verb: "expect"; readonly expectation: Expectation }
);

export type Script = readonly Operation[];
