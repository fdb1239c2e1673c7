/** Brings memory up to date with the database. `anew`: with all of it, where more than notices may have been missed. */
export type Refresh = (how?: { readonly anew: boolean }) => Promise<void>;

/**
 * Makes `read` go one at a time; it is given the revision to read after, and gives the last one that it read. Who asks while it is
 * under way waits for the next one, together with all others who do: the one under way may have missed what they look for.
 */
export function oneAtATime(read: (after: number) => Promise<number>): Refresh {
  let seen = 0;
  let isAnew = false;
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;

  async function readOnce(): Promise<void> {
    const isWhole = isAnew;
    isAnew = false;
    try {
      seen = await read(isWhole ? 0 : seen);
    } catch (error) {
      // What was to be read whole still is: a database that has just come back may fail once more.
      isAnew ||= isWhole;
      throw error;
    }
  }

  return function refresh({ anew } = { anew: false }): Promise<void> {
    isAnew ||= anew;
    if (running === undefined) {
      running = readOnce().finally(() => (running = undefined));
      return running;
    }
    waiting ??= running
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        return refresh();
      });
    return waiting;
  };
}
