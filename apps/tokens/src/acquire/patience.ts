/** How long callers wait for a provider, learnt from how long it takes when it works. */
export interface Patience {
  readonly seconds: number;
  learn(tookSeconds: number): void;
}

/**
 * Patience with a provider: short by default, so that a provider that is down is found out soon; longer for one that
 * has been seen to be slow.
 */
export function createPatience(shortest: number, longest: number): Patience {
  let slowest = 0;
  return {
    get seconds() {
      return Math.min(longest, Math.max(shortest, slowest * 2));
    },
    learn(tookSeconds) {
      // Forgets slowly: one quick answer does not make a slow provider quick.
      slowest = Math.max(tookSeconds, slowest * 0.9);
    },
  };
}

/** Waits only so long, then gives (or throws) what `late` does. What is under way goes on, and is there for the next call. */
export function withPatience<T>(
  { seconds }: Pick<Patience, "seconds">,
  flight: Promise<T>,
  late: (seconds: number) => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(Promise.try(late, seconds)), seconds * 1000);
    flight.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
