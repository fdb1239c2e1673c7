import type { Clock } from "@portvakt/oauth";

/** Remembers a proof by its key and its own id. "full": it cannot be remembered, so it may not be taken. */
export type ClaimProof = (jkt: string, jti: string) => "new" | "used" | "full";

/**
 * Makes a memory of the proofs that came within `livesSeconds`. It forgets none before its time. Nobody may hold more of it than is left
 * free, so one key's flood leaves the half of it, and another's the half of that: enough for all others.
 */
export function createProofMemory(now: Clock, livesSeconds: number, maxEntries: number): ClaimProof {
  const used = new Map<string, { readonly jkt: string; readonly until: number }>();
  const held = new Map<string, number>();
  const forgetOld = (at: number): void => {
    for (const [id, { jkt, until }] of used) {
      if (until > at) return;
      used.delete(id);
      const left = (held.get(jkt) ?? 0) - 1;
      if (left > 0) held.set(jkt, left);
      else held.delete(jkt);
    }
  };
  return (jkt, jti) => {
    const at = now();
    forgetOld(at);
    const id = `${jkt} ${jti}`;
    if (used.has(id)) return "used";
    const share = held.get(jkt) ?? 0;
    if (share >= maxEntries - used.size) return "full";
    used.set(id, { jkt, until: at + livesSeconds });
    held.set(jkt, share + 1);
    return "new";
  };
}
