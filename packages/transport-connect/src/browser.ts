/** What runs in a browser: nothing here, or in what it imports, may need Node. */
export { ClusterClient } from "./clients/cluster-client.ts";
export { type BrowserOptions, connectCluster } from "./clients/connect-browser.ts";
export type { TransactionOutcome } from "./clients/outcome.ts";
export type { RemotePatience } from "./clients/remote-cluster.ts";
export { TransportError, type TransportErrorCode } from "./errors.ts";
