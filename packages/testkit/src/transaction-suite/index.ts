// What every store of transactions over Arrow batches must do, embedded or distributed, written once.
export {
  type SuiteStore,
  type SuiteStores,
  type TransactionSuiteOptions,
  transactionSuite,
} from "./transaction-suite.ts";
