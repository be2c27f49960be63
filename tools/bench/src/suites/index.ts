/** The suites by name. Each measures one thing and gives rows of a table. */
import { hashRing } from "./hash-ring.ts";

export type Row = Readonly<Record<string, string | number>>;
export type Suite = () => Row[] | Promise<Row[]>;

export const suites: Readonly<Record<string, Suite>> = {
  "hash-ring": () => hashRing(),
};
