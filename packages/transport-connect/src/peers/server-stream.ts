/** A stream of a link on the side that was called. The end, and its reason, are told in the trailers, as gRPC has it. */
import type { Http2ServerResponse, ServerHttp2Stream } from "node:http2";
import type { ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { messageOf, TransportError } from "../errors.ts";
import type { StreamCall } from "../server/stream-routes.ts";
import { MessageReader } from "./message-reader.ts";
import { NOBODY, type PeerStream, type StreamHandlers } from "./peer-stream.ts";
import { toConnectError } from "./refusal.ts";

export class ServerStream implements PeerStream {
  handlers: StreamHandlers = NOBODY;
  readonly #response: Http2ServerResponse;
  readonly #stream: ServerHttp2Stream;
  readonly #reader: MessageReader;
  readonly #toStatus: (error: TransportError) => ConnectError;
  #isOver = false;

  /** @param bytesMax of a message that comes in. @param toStatus how the other side is told of an error */
  constructor({ request, response, signal }: StreamCall, bytesMax: number, toStatus = toConnectError) {
    this.#toStatus = toStatus;
    this.#response = response;
    this.#stream = response.stream;
    this.#reader = new MessageReader(bytesMax, (message) => this.handlers.onMessage(message));
    // What goes wrong with the stream goes wrong with these as well; it is told once.
    request.on("error", () => {});
    response.on("error", () => {});
    const broken = (reason: string): void => this.#over(unreachable(reason));
    const onAbort = (): void => broken(messageOf(signal.reason));
    signal.addEventListener("abort", onAbort, { once: true });
    this.#stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    this.#stream.on("drain", () => this.handlers.onDrain());
    this.#stream.on("end", () => this.#over(undefined));
    this.#stream.on("error", (error) => broken(error.message));
    this.#stream.on("close", () => {
      signal.removeEventListener("abort", onAbort);
      broken("it was closed");
    });
    response.writeHead(200, { "content-type": "application/grpc+proto" });
  }

  write(message: Uint8Array): boolean {
    return this.#stream.writable && this.#stream.write(message);
  }

  /** Takes nothing in until `resume`; what has come already is handed on. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  end(error?: TransportError): void {
    this.#isOver = true;
    this.#reader.stop();
    if (!this.#stream.writable) return;
    const trailers = new Headers();
    setTrailerStatus(trailers, error && this.#toStatus(error));
    this.#response.addTrailers(Object.fromEntries(trailers));
    this.#response.end();
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#reader.push(chunk);
    } catch (reason) {
      this.#over(reason instanceof TransportError ? reason : unreachable(messageOf(reason), reason));
    }
  }

  #over(error: TransportError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.stop();
    this.handlers.onEnd(error);
  }
}

function unreachable(reason: string, cause?: unknown): TransportError {
  return new TransportError("KHONSU_PEER_UNREACHABLE", `The stream broke: ${reason}`, { cause });
}
