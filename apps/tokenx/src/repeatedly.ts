/**
 * Does `work` every `seconds`, give or take a tenth so that replicas do not march in step, and never twice at once.
 * The result ends it, after the run under way.
 */
export function repeatedly(seconds: number, work: () => Promise<void>): () => Promise<void> {
  let running = Promise.resolve();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(
      () => {
        running = work()
          .catch(() => undefined)
          .finally(schedule);
      },
      seconds * 1000 * (0.9 + Math.random() * 0.2),
    );
    timer.unref();
  };
  schedule();
  return async () => {
    stopped = true;
    clearTimeout(timer);
    await running;
  };
}
