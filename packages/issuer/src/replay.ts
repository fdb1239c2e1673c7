import { ProtocolError } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import type { ClaimOnce } from "./types.ts";

/**
 * Remembers what was used, in this process only: for one replica, and for stand-ins.
 * When `maxEntries` live entries are held it refuses to serve rather than forget one (fail closed).
 */
export function memoryReplay(options: { now: Clock; maxEntries?: number }): ClaimOnce {
  const { now, maxEntries = 100_000 } = options;
  const used = new Map<string, number>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  const sweep = (at: number): void => {
    // Also when it is full only now and then: it is a walk over all entries.
    if (Math.abs(at - sweptAt) < (used.size >= maxEntries ? 1 : 30)) return;
    for (const [key, expiresAt] of used) if (expiresAt <= at) used.delete(key);
    sweptAt = at;
  };
  return async (key, expiresAt) => {
    const at = now();
    sweep(at);
    if ((used.get(key) ?? 0) > at) return false;
    if (used.size >= maxEntries)
      throw new ProtocolError("temporarily_unavailable", "too many requests are being remembered", {
        status: 503,
      });
    used.set(key, expiresAt);
    return true;
  };
}
