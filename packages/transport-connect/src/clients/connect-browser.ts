/** Clients in browsers, over `fetch`: what a turn asks is one request. Nothing here needs Node. */
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { systemRuntime } from "@khonsu/core";
import { ClientService } from "../gen/khonsu/client/v1/client_pb.ts";
import { type ClientOptions, ClusterClient, type LinkOpener } from "./cluster-client.ts";
import { describeNode, withToken } from "./describe.ts";
import { ExchangeLink } from "./exchange-link.ts";

export interface BrowserOptions extends ClientOptions {
  /** Whether to encrypt. Default: as the page was. */
  readonly tls?: boolean | undefined;
  /** Default: the platform's. */
  readonly fetch?: typeof globalThis.fetch | undefined;
}

/**
 * Connects to a cluster from a page. The nodes must allow its origin (`origins` of their configuration).
 *
 * @throws as `connectCluster` of the package's main entry does
 */
export function connectCluster(options: BrowserOptions): Promise<ClusterClient> {
  const { runtime = systemRuntime } = options;
  return ClusterClient.connect(options, runtime, exchangeOpener(options));
}

function exchangeOpener({ tls, token, fetch }: BrowserOptions): LinkOpener {
  const { location } = globalThis as { readonly location?: { readonly protocol: string } };
  const isEncrypted = tls ?? location?.protocol === "https:";
  const interceptors = withToken(token);
  return (runtime, clock) => async (address, signal) => {
    const baseUrl = `${isEncrypted ? "https" : "http"}://${address}`;
    const transport = createConnectTransport({
      baseUrl,
      interceptors,
      useBinaryFormat: true,
      ...(fetch !== undefined && { fetch }),
    });
    const client = createClient(ClientService, transport);
    const description = await describeNode(client, address, signal, clock);
    return new ExchangeLink({ address, client, description, runtime, onEnd: () => {} });
  };
}
