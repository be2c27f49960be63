export type { LevelDatabase } from "../database.ts";
export type { Operation } from "../write-batch.ts";
export { LevelAcceptorLog } from "./acceptor-log.ts";
