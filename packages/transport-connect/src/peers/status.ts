/** What a node can tell about its links; plain, for people and metrics. */
import type { TransportErrorCode } from "../errors.ts";

/**
 * `up`; `connecting`: dialled for the first time, or again at once after a link broke; `waiting`: to be dialled by the other
 * side; `down`: the last attempt failed, the next one follows after a pause; `unknown`: no address, so only the other can dial.
 */
export type LinkState = "up" | "connecting" | "waiting" | "down" | "unknown";

export interface Traffic {
  readonly frames: number;
  readonly batches: number;
  readonly bytes: number;
}

/** Messages and questions that were not sent, by reason. */
export interface Dropped {
  /** There was no link. */
  unreachable: number;
  /** The queue was full. */
  full: number;
  /** They were above the limit. */
  tooLarge: number;
}

export interface PeerStatus {
  readonly node: number;
  /** `host:port`, if known. */
  readonly address: string | undefined;
  readonly state: LinkState;
  /** Of the link that is up. */
  readonly link:
    | {
        readonly incarnation: number;
        readonly protocol: number;
        /** Which of the two nodes dialled. */
        readonly dialledBy: number;
        /** Milliseconds from a ping to its pong, the last time; undefined before the first. */
        readonly roundTripMs: number | undefined;
        readonly asked: number;
        readonly serving: number;
      }
    | undefined;
  /** Bytes that wait to be sent. */
  readonly queuedBytes: number;
  readonly sent: Traffic;
  readonly received: Traffic;
  readonly dropped: Readonly<Dropped>;
  /** Links that came up since the start. */
  readonly links: number;
  /** Why there was no link, the last time. */
  readonly lastError: { readonly code: TransportErrorCode; readonly message: string } | undefined;
}

export type PeerEvent =
  | { readonly kind: "up"; readonly node: number; readonly dialledBy: number; readonly protocol: number }
  /** A link ended, or an attempt failed. */
  | {
      readonly kind: "down";
      readonly node: number;
      readonly code: TransportErrorCode;
      readonly message: string;
    }
  /** Somebody was turned away, here. */
  | {
      readonly kind: "refused";
      readonly remote: string;
      readonly code: TransportErrorCode;
      readonly message: string;
    }
  /** `onMessage` threw: a fault in the node, the link goes on. */
  | { readonly kind: "handler-failed"; readonly node: number; readonly error: unknown };

/** Counts what passes. */
export class TrafficCounter implements Traffic {
  frames = 0;
  batches = 0;
  bytes = 0;

  count(frames: number, bytes: number): void {
    this.frames += frames;
    this.batches++;
    this.bytes += bytes;
  }

  view(): Traffic {
    return { frames: this.frames, batches: this.batches, bytes: this.bytes };
  }
}
