import type { Clock } from "@portvakt/oauth";

export interface Breaker {
  /** Whether a request may be sent now. After a pause, one is let through as a probe. */
  enter(): boolean;
  succeeded(): void;
  failed(): void;
  /** Seconds until the next probe; 0 when requests may be sent. */
  retryAfterSeconds(): number;
  readonly isClosed: boolean;
}

export interface BreakerOptions {
  /** One that nobody sets. */
  readonly now: Clock;
  readonly random: () => number;
  /** Failures in a row that open it, default 4. */
  readonly failures?: number;
  /** First pause, default 0.25 s; it doubles up to `maxPauseSeconds`, default 2 s. */
  readonly pauseSeconds?: number;
  readonly maxPauseSeconds?: number;
}

/** How long a probe may take before the next one goes: one that hangs must not hide that the provider is back. */
const probeSeconds = 2;

/**
 * A circuit breaker: after some failures in a row requests are held back, so that a provider that is down is not
 * flooded and its callers are told at once. After a pause, with jitter, the next request probes. The pauses are short: one
 * request every two seconds burdens nobody, and callers are served soon after the provider is back.
 */
export function createBreaker(options: BreakerOptions): Breaker {
  const { now, random, failures: limit = 4, pauseSeconds = 0.25, maxPauseSeconds = 2 } = options;
  let failures = 0;
  let openings = 0;
  let openUntil = 0;
  let probing = false;

  const open = (): void => {
    const pause = Math.min(maxPauseSeconds, pauseSeconds * 2 ** openings);
    openings += 1;
    openUntil = now() + pause * (0.75 + 0.5 * random());
  };
  return {
    get isClosed() {
      return openings === 0;
    },
    enter() {
      if (openings === 0) return true;
      if (now() < openUntil) return false;
      openUntil = now() + probeSeconds;
      probing = true;
      return true;
    },
    succeeded() {
      failures = 0;
      openings = 0;
      probing = false;
    },
    failed() {
      failures += 1;
      // Requests that were under way when it opened say nothing new; only the probe prolongs the pause.
      const prolongs = openings > 0 && probing;
      probing = false;
      if (prolongs || (openings === 0 && failures >= limit)) open();
    },
    retryAfterSeconds: () => (openings === 0 ? 0 : Math.max(0, openUntil - now())),
  };
}
