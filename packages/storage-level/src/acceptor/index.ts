export type { LevelDatabase } from "../database.ts";
export type { Operation } from "../write-batch.ts";
export { type AcceptorLogOptions, LevelAcceptorLog } from "./acceptor-log.ts";
