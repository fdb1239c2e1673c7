import { hash } from "node:crypto";
import type { KeyLookup, KeySet, VerificationKey } from "@portvakt/oauth";

/** Of each key the last 5,000 to 10,000 are remembered. */
const maxPerGeneration = 5_000;

/**
 * A key set that remembers which signatures were right, since one subject token is exchanged for each target that its holder calls.
 * What is remembered is a hash of text and signature, and it belongs to the key: with a key that goes, or is fetched anew, it is gone.
 * Nothing else is remembered: time, audience and revocation are judged each time.
 */
export function rememberSignatures(keys: KeySet): KeySet {
  const remembering = new WeakMap<VerificationKey, KeyLookup>();
  const withItsMemory = (found: KeyLookup): KeyLookup => {
    if (!found.ok) return found;
    let known = remembering.get(found.key);
    if (known === undefined) {
      known = { ok: true, key: withMemory(found.key) };
      remembering.set(found.key, known);
    }
    return known;
  };
  return {
    find: (header) => {
      const found = keys.find(header);
      return found instanceof Promise ? found.then(withItsMemory) : withItsMemory(found);
    },
  };
}

function withMemory(key: VerificationKey): VerificationKey {
  let right = new Set<string>();
  let before = new Set<string>();
  const remember = (id: string): void => {
    if (right.size >= maxPerGeneration) [before, right] = [right, new Set()];
    right.add(id);
  };
  return {
    verify: (data, signature) => {
      const id = idOf(data, signature);
      if (right.has(id) || before.has(id)) return true;
      const matches = key.verify(data, signature);
      if (matches instanceof Promise)
        return matches.then((isRight) => {
          if (isRight) remember(id);
          return isRight;
        });
      if (matches) remember(id);
      return matches;
    },
  };
}

/** A line feed is in no JWT, so text and signature cannot be shifted against each other. */
function idOf(data: Uint8Array, signature: Uint8Array): string {
  const whole = Buffer.allocUnsafe(data.length + 1 + signature.length);
  whole.set(data);
  whole[data.length] = 10;
  whole.set(signature, data.length + 1);
  return hash("sha256", whole, "latin1");
}
