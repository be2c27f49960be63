/** Transactions of a store that has one writer: each begins when the one before it has ended. */

export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<R>(transaction: () => Promise<R>): Promise<R> {
    const running = this.#last.then(transaction);
    this.#last = running.catch(() => {});
    return running;
  }
}
