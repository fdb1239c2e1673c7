import type { Clock } from "@portvakt/oauth";

export interface RetryOptions {
  readonly now: Clock;
  readonly random: () => number;
  /** Resolves after some seconds. */
  readonly wait: (seconds: number) => Promise<void>;
  /** Attempts after the first. */
  readonly retries: number;
  /** No attempt starts later than this after the first. */
  readonly deadlineSeconds: number;
}

/** What an error says about trying again: not at all, or after at least some seconds. */
export type Verdict = { readonly again: false } | { readonly again: true; readonly afterSeconds?: number };

const baseSeconds = 0.1;
const maxPauseSeconds = 2;

/**
 * Calls `attempt` until it succeeds, `judge` says stop, or the time is over; then throws the last error. Pauses grow and
 * have full jitter. `attempt` must make everything anew that may be used only once.
 */
export async function withRetries<T>(
  options: RetryOptions,
  attempt: () => Promise<T>,
  judge: (error: unknown) => Verdict,
): Promise<T> {
  const { now, random, wait, retries, deadlineSeconds } = options;
  const deadline = now() + deadlineSeconds;
  for (let tried = 0; ; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      const verdict = judge(error);
      if (!verdict.again || tried >= retries) throw error;
      const backOff = Math.min(maxPauseSeconds, baseSeconds * 2 ** tried) * (0.5 + random());
      const pause = Math.max(backOff, verdict.afterSeconds ?? 0);
      if (now() + pause >= deadline) throw error;
      await wait(pause);
    }
  }
}
