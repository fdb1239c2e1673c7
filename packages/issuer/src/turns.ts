/** Does work when it is the key's turn. */
export type TakeTurns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/**
 * Shares something scarce among keys: at most `parallel` pieces of work at once, and of what waits, one of each key in turn. So whoever
 * brings a hundred at once waits for them, and somebody with one waits for one of each other.
 */
export function turns(parallel: number): TakeTurns {
  let running = 0;
  /** In the order of whose turn is next. */
  const waiting = new Map<string, (() => void)[]>();

  function passOn(): void {
    for (const [key, queue] of waiting) {
      const start = queue.shift();
      waiting.delete(key);
      if (queue.length > 0) waiting.set(key, queue);
      start?.();
      return;
    }
    running -= 1;
  }

  return async (key, work) => {
    if (running < parallel) running += 1;
    else
      await new Promise<void>((start) => {
        const queue = waiting.get(key);
        if (queue === undefined) waiting.set(key, [start]);
        else queue.push(start);
      });
    try {
      return await work();
    } finally {
      passOn();
    }
  };
}
