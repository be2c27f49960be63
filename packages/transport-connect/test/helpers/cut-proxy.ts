/** A TCP proxy before a node, to cut its connections, or to swallow all that passes as a stopped machine does. */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

export class CutProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #isSilent = false;
  #isRefusing = false;

  private constructor(target: string) {
    const [host, port] = target.split(":");
    this.#server = createServer((socket) => {
      if (this.#isRefusing) return socket.destroy();
      const upstream = connect(Number(port), host);
      const pair = [socket, upstream] as const;
      this.#pairs.add(pair);
      for (const [from, to] of [pair, [upstream, socket] as const]) {
        from.on("data", (bytes) => {
          if (!this.#isSilent) to.write(bytes);
        });
        from.on("error", () => {});
        from.on("close", () => {
          to.destroy();
          this.#pairs.delete(pair);
        });
      }
    });
  }

  static async open(target: string): Promise<CutProxy> {
    const proxy = new CutProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts all connections; new ones are taken. */
  sever(): void {
    for (const [socket, upstream] of this.#pairs) {
      socket.destroy();
      upstream.destroy();
    }
  }

  /** Cuts all connections as a process does that is killed in the middle of something: nothing more is read, and the other side is told so. */
  reset(): void {
    for (const [socket, upstream] of this.#pairs) {
      socket.resetAndDestroy();
      upstream.destroy();
    }
  }

  /** Passes nothing on any more, and closes nothing. */
  silence(): void {
    this.#isSilent = true;
  }

  /** Cuts all connections and takes no more, or takes them again. */
  refuse(isRefusing: boolean): void {
    this.#isRefusing = isRefusing;
    if (isRefusing) this.sever();
  }

  async close(): Promise<void> {
    this.sever();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
