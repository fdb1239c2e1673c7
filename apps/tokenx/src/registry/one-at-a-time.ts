/**
 * Makes `read` go one at a time. Who asks while it is under way waits for the next one, together with all others who do: the one
 * under way may have missed what they look for.
 */
export function oneAtATime(read: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let waiting: Promise<void> | undefined;
  return function ask(): Promise<void> {
    if (running === undefined) {
      running = read().finally(() => (running = undefined));
      return running;
    }
    waiting ??= running
      .catch(() => undefined)
      .then(() => {
        waiting = undefined;
        return ask();
      });
    return waiting;
  };
}
