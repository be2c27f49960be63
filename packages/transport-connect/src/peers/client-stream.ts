/** A stream of a link on the side that called. Why the other side has ended it stands in the trailers, as gRPC has it. */
import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import type { TransportError } from "../errors.ts";
import { MessageReader } from "./message-reader.ts";
import { NOBODY, type PeerStream, type StreamHandlers } from "./peer-stream.ts";

export class ClientStream implements PeerStream {
  handlers: StreamHandlers = NOBODY;
  readonly #stream: ClientHttp2Stream;
  readonly #reader: MessageReader;
  readonly #toError: (reason: unknown) => TransportError;
  /** What the other side has said of the end before it comes. */
  #reason: Error | undefined;
  #isOver = false;

  /** @param bytesMax of a message that comes in. @param toError makes the error of what broke the stream */
  constructor(stream: ClientHttp2Stream, bytesMax: number, toError: (reason: unknown) => TransportError) {
    this.#stream = stream;
    this.#toError = toError;
    this.#reader = new MessageReader(bytesMax, (message) => this.handlers.onMessage(message));
    stream.on("response", (headers) => this.#onResponse(headers));
    stream.on("trailers", (trailers) => this.#onStatus(trailers));
    stream.on("data", (chunk: Buffer) => this.#receive(chunk));
    stream.on("drain", () => this.handlers.onDrain());
    stream.on("end", () => this.#over(this.#reason));
    stream.on("error", (error) => this.#over(error));
    stream.on("close", () => this.#over(this.#reason ?? new Error("the stream was closed")));
  }

  write(message: Uint8Array): boolean {
    return this.#stream.writable && this.#stream.write(message);
  }

  end(): void {
    this.#isOver = true;
    this.#reader.stop();
    this.#stream.end();
  }

  #onResponse(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): void {
    const { ":status": status, "content-type": type = "no type" } = headers;
    if (status !== 200) this.#over(new Error(`it answered with HTTP status ${status}`));
    else if (!type.startsWith("application/grpc")) this.#over(new Error(`it answered with ${type}`));
    else this.#onStatus(headers);
  }

  #onStatus(headers: IncomingHttpHeaders): void {
    const fields = new Headers();
    for (const [name, value] of Object.entries(headers)) {
      if (name.startsWith("grpc-") && value !== undefined) fields.set(name, String(value));
    }
    this.#reason = findTrailerError(fields);
  }

  #receive(chunk: Buffer): void {
    if (this.#isOver) return;
    try {
      this.#reader.push(chunk);
    } catch (reason) {
      this.#over(reason);
    }
  }

  #over(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.stop();
    this.handlers.onEnd(reason === undefined ? undefined : this.#toError(reason));
  }
}
