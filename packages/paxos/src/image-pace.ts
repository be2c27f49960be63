/**
 * When the state machine is asked for an image, and how much of the log below it is kept. An image costs about as much a byte as the
 * log, whether it is made, written, read or sent. So one is due before the limits only where it is small beside the log since the last:
 * then images add a third to what is written, and a start reads at most about four times the state. And whoever lags
 * by more log than the image has bytes is better served by the image, so that much is kept and no more.
 */
import { sizeOf } from "./entry.ts";
import type { Log } from "./log.ts";
import type { ResolvedOptions } from "./options.ts";
import { type Slot, slotAfter } from "./slot.ts";

/** So many entries are read again at a start without anybody noticing: for fewer no image is made, however small. */
const CHEAP_ENTRIES = 512;
/** The log since the last image is so many times as large as that one before another is due. */
const LOG_TO_IMAGE = 3;
/** So many entries are kept at least, for who lags by a moment: an image would have to replace its whole state. */
const MOMENT_ENTRIES = 1024;

export class ImagePace {
  private readonly options: ResolvedOptions;
  private entriesSince = 0;
  private bytesSince = 0;
  /** The size of the last image; 0 before the first. */
  private imageBytes = 0;

  constructor(options: ResolvedOptions) {
    this.options = options;
  }

  /** An entry of `bytes` was applied. */
  onApplied(bytes: number): void {
    this.entriesSince++;
    this.bytesSince += bytes;
  }

  /** @param underWay whether an image is being made; only the limits ask for another then. */
  isDue(underWay: boolean): boolean {
    const { checkpointBytes, checkpointEntries } = this.options;
    if (this.entriesSince >= checkpointEntries || this.bytesSince >= checkpointBytes) return true;
    return (
      !underWay && this.entriesSince >= CHEAP_ENTRIES && this.bytesSince >= LOG_TO_IMAGE * this.imageBytes
    );
  }

  /** The state machine was asked for an image, or has become one. */
  restart(): void {
    this.entriesSince = 0;
    this.bytesSince = 0;
  }

  /** An image of `bytes` was made or taken over. */
  onImage(bytes: number): void {
    this.imageBytes = bytes;
  }
}

/** Up to where the log goes when an image of `imageBytes` at `slot` becomes current; 0 if nothing does. */
export function trimmedBelow(
  log: Log,
  slot: Slot,
  imageBytes: number,
  { retainEntries }: ResolvedOptions,
): Slot {
  const lowest = Math.max(log.trimmed, slot - retainEntries) as Slot;
  let through = slot;
  let bytes = 0;
  while (through > lowest) {
    bytes += sizeOf(log.entryAt(through));
    if (bytes > imageBytes && slot - through >= MOMENT_ENTRIES) break;
    through = slotAfter(through, -1);
  }
  return through;
}
