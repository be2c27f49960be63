/** The page as a node serves it, over statuses that a test chooses. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { NodeStatus } from "../../src/node/node-status.ts";
import { statusPage } from "../../src/page/serve-page.ts";

export interface PageServer extends AsyncDisposable {
  readonly url: string;
}

/** @param status undefined: the node answers with an error */
export async function servePage(status: () => NodeStatus | undefined): Promise<PageServer> {
  const page = statusPage();
  const server = createServer((request, response) => {
    if (request.url === "/status.json") {
      const answer = status();
      response.writeHead(answer === undefined ? 503 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(answer ?? {}));
    } else if (!page(request.url ?? "/", request, response)) {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `http://127.0.0.1:${port}/`, [Symbol.asyncDispose]: close };
}
