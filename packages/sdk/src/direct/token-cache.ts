import type { Stopwatch } from "../stopwatch.ts";
import { guarded } from "../token-api.ts";
import type { Obtained, TokenResult } from "../token-api.ts";

/** Tokens by what was asked for. */
export interface TokenCache {
  /** The token for `key`: a remembered one, or what `fetchToken` gives. One fetch at a time for each key, whoever asks. */
  get(key: string, fetchToken: () => Promise<TokenResult>, options: { skip: boolean }): Promise<TokenResult>;
}

/** Seconds before its end from which a token is not handed out again. */
const marginSeconds = 30;

/** Makes a cache of at most `maxEntries` tokens, the least recently used out first. Refusals are never remembered. */
export function createTokenCache(stopwatch: Stopwatch, maxEntries = 10_000): TokenCache {
  const held = new Map<string, { readonly result: Obtained; readonly age: () => number }>();
  const pending = new Map<string, Promise<TokenResult>>();

  const remember = (key: string, result: TokenResult): void => {
    held.delete(key);
    if (!result.ok || result.expiresIn <= marginSeconds) return;
    held.set(key, { result, age: stopwatch() });
    const [oldest] = held.keys();
    if (held.size > maxEntries && oldest !== undefined) held.delete(oldest);
  };
  const remembered = (key: string): TokenResult | undefined => {
    const entry = held.get(key);
    if (entry === undefined) return undefined;
    held.delete(key);
    const left = entry.result.expiresIn - entry.age();
    if (left <= marginSeconds) return undefined;
    held.set(key, entry);
    return guarded({ ...entry.result, expiresIn: Math.floor(left) });
  };

  return {
    get(key, fetchToken, { skip }) {
      const found = skip ? undefined : remembered(key);
      if (found !== undefined) return Promise.resolve(found);
      const running = pending.get(key);
      // Whoever skips the cache wants a token that is newer than the one that may be on its way.
      if (running !== undefined && !skip) return running;
      const started = fetchToken().then((result) => {
        // One that was overtaken changes nothing: it may bring what the caller wanted to be rid of.
        if (pending.get(key) === started) {
          pending.delete(key);
          remember(key, result);
        }
        return result;
      });
      pending.set(key, started);
      return started;
    },
  };
}
