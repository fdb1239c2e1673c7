import { createHash } from "node:crypto";
import type { KeySet, VerificationKey } from "@portvakt/oauth";

const maxPerKey = 10_000;

/**
 * A key set that remembers which signatures were right, since one subject token is exchanged for each target that its holder calls.
 * What is remembered is a hash of text and signature, and it belongs to the key: with a key that goes, or is fetched anew, it is gone.
 * Nothing else is remembered: time, audience and revocation are judged each time.
 */
export function rememberSignatures(keys: KeySet): KeySet {
  const remembering = new WeakMap<VerificationKey, VerificationKey>();
  return {
    find: async (header) => {
      const found = await keys.find(header);
      if (!found.ok) return found;
      let key = remembering.get(found.key);
      if (key === undefined) {
        key = withMemory(found.key);
        remembering.set(found.key, key);
      }
      return { ok: true, key };
    },
  };
}

function withMemory(key: VerificationKey): VerificationKey {
  const right = new Set<string>();
  return {
    verify: async (data, signature) => {
      // A line feed is in no JWT, so text and signature cannot be shifted against each other.
      const id = createHash("sha256").update(data).update("\n").update(signature).digest("latin1");
      if (right.has(id)) return true;
      if (!(await key.verify(data, signature))) return false;
      if (right.size >= maxPerKey) for (const oldest of right.values().take(1)) right.delete(oldest);
      right.add(id);
      return true;
    },
  };
}
