/**
 * When what waits on a stream leaves. While messages hold little: as soon as all is done that follows from what is being handled. What is
 * written then is with the system before the event loop comes to what waits for the end of its turn, such as the next write to the disk. While
 * messages are filled: at the end of the turn, so that what comes in by other streams of the same turn goes along.
 */
export interface Departure {
  /** Calls `leave` when it is time. */
  schedule(leave: () => void): void;
  /** Told of each message that has left how many items it had. */
  hasLeft(items: number): void;
}

/** With more items a message is filled. */
const FEW_ITEMS = 2;

export class NodeDeparture implements Departure {
  #isFilled = false;
  /** Something has left in this turn already. */
  #hasLeft = false;

  schedule(leave: () => void): void {
    if (this.#isFilled || this.#hasLeft) {
      setImmediate(leave);
      return;
    }
    this.#hasLeft = true;
    setImmediate(() => {
      this.#hasLeft = false;
    });
    // The next tick comes once the queue of microtasks is empty, if it is asked for by one of these.
    queueMicrotask(() => process.nextTick(leave));
  }

  hasLeft(items: number): void {
    this.#isFilled = items > FEW_ITEMS;
  }
}
