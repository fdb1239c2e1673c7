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
  let sweepAt = 0;
  const sweep = (at: number): void => {
    for (const [key, expiresAt] of used) if (expiresAt <= at) used.delete(key);
    sweepAt = at + 30;
  };
  return async (key, expiresAt) => {
    const at = now();
    if (at >= sweepAt || used.size >= maxEntries) sweep(at);
    if ((used.get(key) ?? 0) > at) return false;
    if (used.size >= maxEntries)
      throw new ProtocolError("temporarily_unavailable", "too many requests are being remembered", {
        status: 503,
      });
    used.set(key, expiresAt);
    return true;
  };
}
