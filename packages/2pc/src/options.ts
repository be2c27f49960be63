/** When to ask again and when to stop waiting. All in ticks; the driver decides how long a tick is. */
export interface PaceOptions {
  /** First pause before a request is sent again; each further one is twice as long. Default: 4. */
  readonly retryTicks: number;
  /** Longest pause between two tries. Default: 64. */
  readonly retryTicksMax: number;
  /** How long a coordinator waits for votes before it proposes an abort. Default: 100. */
  readonly prepareTimeoutTicks: number;
  /** How long it waits for home's decision before it tells the client that the outcome is in doubt. Default: 200. */
  readonly decideTimeoutTicks: number;
  /** How long recovery waits while home is prepared and undecided, before it proposes an abort there. Default: 100. */
  readonly inquireTimeoutTicks: number;
  /** How long a coordinator goes on after it has told the client, before it leaves the rest to recovery. Default: 1000. */
  readonly completeTimeoutTicks: number;
  /** How long a transaction may be unfinished at a participant before somebody is sent to finish it. Default: 150. */
  readonly patienceTicks: number;
}

export const DEFAULT_PACE: PaceOptions = {
  retryTicks: 4,
  retryTicksMax: 64,
  prepareTimeoutTicks: 100,
  decideTimeoutTicks: 200,
  inquireTimeoutTicks: 100,
  completeTimeoutTicks: 1000,
  patienceTicks: 150,
};

/** @throws RangeError if an option is not an integer of 1 or more */
export function paceOptions(given: Partial<PaceOptions> = {}): PaceOptions {
  const options = { ...DEFAULT_PACE, ...given };
  for (const [name, ticks] of Object.entries(options)) {
    if (!Number.isSafeInteger(ticks) || ticks < 1) {
      throw new RangeError(`${name} must be an integer of 1 or more: it is ${ticks}`);
    }
  }
  return options;
}
