/** Somebody who speaks to the port of the peers without our network: to say what our code never would. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Client, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import {
  HelloSchema,
  type LinkRequestSchema,
  type LinkResponse,
  PeerService,
  RefusalSchema,
} from "../../src/gen/khonsu/peer/v1/peer_pb.ts";

type Request = MessageInitShape<typeof LinkRequestSchema>;

export const LINK_ID = new Uint8Array(16).fill(9);

export function hello(fields: MessageInitShape<typeof HelloSchema> = {}): Request {
  const defaults = {
    protocolMin: 1,
    protocolMax: 1,
    clusterId: "test",
    node: 9,
    incarnation: 1n,
    to: 1,
    link: LINK_ID,
  };
  return { hello: create(HelloSchema, { ...defaults, ...fields }) };
}

export interface RawLink {
  readonly client: Client<typeof PeerService>;
  say(request: Request): void;
  /** The next response; rejects with what ended the stream. */
  hear(): Promise<LinkResponse | undefined>;
  hangUp(): void;
}

export function rawClient(address: string, nodeOptions: object = {}): Client<typeof PeerService> {
  const scheme = Object.keys(nodeOptions).length === 0 ? "http" : "https";
  return createClient(PeerService, createGrpcTransport({ baseUrl: `${scheme}://${address}`, nodeOptions }));
}

export function rawLink(address: string, nodeOptions: object = {}): RawLink {
  const client = rawClient(address, nodeOptions);
  const waiting: Request[] = [];
  let wake = () => {};
  let isOver = false;
  async function* requests(): AsyncGenerator<Request> {
    for (;;) {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) yield next;
      if (isOver) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  const abort = new AbortController();
  const responses = client.link(requests(), { signal: abort.signal })[Symbol.asyncIterator]();
  return {
    client,
    say(request) {
      waiting.push(request);
      wake();
    },
    async hear() {
      const { done, value } = await responses.next();
      return done ? undefined : value;
    },
    hangUp() {
      isOver = true;
      wake();
      abort.abort();
    },
  };
}

/** The code of docs/errors.md that an error carries. */
export function codeOf(error: unknown): string | undefined {
  return ConnectError.from(error).findDetails(RefusalSchema)[0]?.code;
}

/** The code that the next response is refused with. */
export async function refusalOf(link: RawLink): Promise<string | undefined> {
  for (;;) {
    try {
      if ((await link.hear()) === undefined) return "no refusal";
    } catch (error) {
      return codeOf(error) ?? String(error);
    }
  }
}
