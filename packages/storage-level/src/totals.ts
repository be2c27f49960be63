/**
 * What all records but format and head add up to (SF-5, AL-3). The sum goes into the head record with each batch. A record
 * that is missing, left over, or from an older commit changes the sum, even where each record alone looks right:
 * LevelDB skips damaged blocks of its log when it recovers, which makes holes in the history.
 */
import { digestOf } from "./checksum.ts";

/** Sums stay below this, so that they are safe integers. */
const DIGEST_MODULUS = 2 ** 48;

export class Totals {
  records = 0;
  bytes = 0;
  digest = 0;

  add(checksum: number, bytes: number): void {
    this.records++;
    this.bytes += bytes;
    this.digest = (this.digest + digestOf(checksum)) % DIGEST_MODULUS;
  }

  remove(checksum: number, bytes: number): void {
    this.records--;
    this.bytes -= bytes;
    this.digest = (this.digest - digestOf(checksum) + DIGEST_MODULUS) % DIGEST_MODULUS;
  }
}
