// What clients and nodes of the simulation say to each other. It travels over the same kind of network as the protocol under test, so
// requests and answers are lost, repeated and late as well.

import type { RegisterAnswer } from "./register-machine.ts";

export type ClientRequest =
  | {
      readonly kind: "propose";
      readonly attempt: number;
      readonly client: number;
      readonly sequence: number;
      readonly command: Uint8Array;
    }
  | { readonly kind: "read"; readonly attempt: number; readonly key: string };

export type ClientReply =
  | { readonly kind: "answered"; readonly attempt: number; readonly answer: RegisterAnswer }
  | { readonly kind: "value"; readonly attempt: number; readonly value: string | null }
  | {
      readonly kind: "refused";
      readonly attempt: number;
      readonly code: string;
      readonly retryable: boolean;
      /** The node to try instead, if known. */
      readonly leader: number | undefined;
    };
