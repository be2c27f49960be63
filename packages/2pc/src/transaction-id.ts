/**
 * Transaction ids. An id says when its transaction was born, so that a floor can expire it, and which participant is
 * its home, so that whoever meets the id knows whom to ask for the outcome.
 *
 * One id, one request: whoever sends an id again sends the same request to the same participants.
 */

/** A participant: whatever keeps one log and votes, such as a shard. An integer, 0 or more. */
export type ParticipantId = number;

/** A timestamp in units of the caller's choice: a safe integer, 0 or more. Only its order matters here. */
export type Timestamp = number;

export interface TransactionId {
  /** When the transaction was born, by the clock of whoever made the id. Compared with floors, and with nothing else. */
  readonly birth: Timestamp;
  /** What keeps apart the ids of one birth and home: a safe integer, 0 or more, drawn at random. */
  readonly random: number;
  /** The participant whose log decides. */
  readonly home: ParticipantId;
}

/** The id as text: equal texts for equal ids. */
export function formatTransactionId({ birth, random, home }: TransactionId): string {
  return `${birth}.${random}.${home}`;
}

/**
 * The id that `text` stands for.
 *
 * @throws RangeError if it is not what `formatTransactionId` gives
 */
export function parseTransactionId(text: string): TransactionId {
  const [birth, random, home] = text.split(".").map(Number);
  const id = { birth: birth ?? Number.NaN, random: random ?? Number.NaN, home: home ?? Number.NaN };
  checkTransactionId(id);
  if (formatTransactionId(id) !== text) throw new RangeError(`This is no transaction id: ${text}`);
  return id;
}

/** @throws RangeError if a part of the id is not a safe integer of 0 or more */
export function checkTransactionId(id: TransactionId): void {
  for (const part of [id.birth, id.random, id.home]) {
    if (!Number.isSafeInteger(part) || part < 0) {
      throw new RangeError(
        `A transaction id has three safe integers of 0 or more: it is ${formatTransactionId(id)}`,
      );
    }
  }
}

/** By birth, then random part, then home: the order in which ids are listed wherever order must not depend on history. */
export function compareTransactionIds(a: TransactionId, b: TransactionId): number {
  return a.birth - b.birth || a.random - b.random || a.home - b.home;
}
