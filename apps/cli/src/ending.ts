const signs = {
  SIGINT: "interrupted",
  SIGTERM: "told to end",
  SIGHUP: "the terminal is closed",
  disconnect: "the launcher is gone",
} as const;

/** Aborts when this process is asked to end; the reason says by what. A second request ends it at once. */
export function endingSignal(): AbortSignal {
  const controller = new AbortController();
  for (const [sign, words] of Object.entries(signs)) {
    process.on(sign, () => {
      if (controller.signal.aborted && sign !== "disconnect") process.exit(3);
      controller.abort(words);
    });
  }
  // a launcher that went while this process was still loading its modules sends no event any more
  if (process.send !== undefined && !process.connected) controller.abort(signs.disconnect);
  // listening to the channel keeps a process alive, which nothing here wants
  process.channel?.unref();
  return controller.signal;
}

/** Settles with the reason once the signal aborts. */
export function whenAborted(signal: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(String(signal.reason));
    else signal.addEventListener("abort", () => resolve(String(signal.reason)), { once: true });
  });
}
