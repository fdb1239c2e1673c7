import { ProtocolError } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import { Throttled } from "./throttle.ts";
import type { ClaimOnce } from "./types.ts";

/** How much of the memory one who uses things up takes. */
interface Share {
  held: number;
  last?: Term;
}

/** Until when something is remembered, and in whose share. What one uses up in a second ends alike as a rule, and has one of these together. */
interface Term {
  readonly expiresAt: number;
  readonly share: Share;
}

/**
 * Remembers what was used, in this process only: for one replica, and for stand-ins. It never forgets a live entry, so it refuses to
 * serve (fail closed) when `maxEntries` are held, and refuses whoever holds as much as is left: however many flood it, what they leave is
 * enough for all others.
 */
export function memoryReplay(options: {
  readonly now: Clock;
  readonly maxEntries?: number;
  /** What was used before, by nobody knows whom: keys, and until when. */
  readonly known?: Iterable<readonly [string, number]>;
}): (...claim: Parameters<ClaimOnce>) => boolean {
  const { now, maxEntries = 100_000, known = [] } = options;
  const used = new Map<string, Term>();
  const shares = new Map<string, Share>();
  for (const [key, expiresAt] of known) used.set(key, { expiresAt, share: { held: 1 } });

  let sweptAt = Number.NEGATIVE_INFINITY;
  const sweep = (at: number): void => {
    // Also when it is full only now and then: it is a walk over all entries.
    if (Math.abs(at - sweptAt) < (used.size >= maxEntries ? 1 : 30)) return;
    for (const [key, { expiresAt, share }] of used) {
      if (expiresAt > at) continue;
      used.delete(key);
      share.held -= 1;
    }
    for (const [by, { held }] of shares) if (held === 0) shares.delete(by);
    sweptAt = at;
  };

  return (key, expiresAt, by) => {
    const at = now();
    sweep(at);
    const before = used.get(key);
    if (before !== undefined && before.expiresAt > at) return false;
    if (before !== undefined) before.share.held -= 1;
    const share = shares.get(by) ?? { held: 0 };
    const free = maxEntries - used.size;
    if (free <= 0)
      throw new ProtocolError("temporarily_unavailable", "too many requests are being remembered", {
        status: 503,
      });
    if (share.held >= free) throw new Throttled(1);
    share.held += 1;
    shares.set(by, share);
    const term = share.last?.expiresAt === expiresAt ? share.last : { expiresAt, share };
    share.last = term;
    used.set(key, term);
    return true;
  };
}
