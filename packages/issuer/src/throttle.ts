import { ProtocolError } from "@portvakt/oauth";

/** A client asked too often; answered with 429 and Retry-After (RFC 6585 section 4). */
export class Throttled extends ProtocolError {
  readonly retryAfterSeconds: number;
  constructor(retryAfterSeconds: number) {
    super("temporarily_unavailable", "this client asks too often", { status: 429 });
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterSeconds));
  }
}

export interface Throttle {
  /** Throws Throttled when the key's bucket is empty, and takes nothing: for a key that is only claimed. */
  check(this: void, key: string, now: number): void;
  /** Takes one from the key's bucket, or throws Throttled: for a key that was proved. */
  take(this: void, key: string, now: number): void;
}

/** How long a client waits for being told that it asks too often. */
const pauseSeconds = 0.25;
/** More than so many are not kept waiting: each holds a request in memory. */
const maxWaiting = 2_000;

/**
 * Makes answers with 429 take a moment. A client that floods waits for its answers, connection by connection, so it floods no faster
 * than that; the server's time is the other clients' (docs/decisions/0007). All other answers leave at once.
 */
export function pausing(): (
  handle: (request: Request) => Promise<Response>,
) => (request: Request) => Promise<Response> {
  let waiting = 0;
  return (handle) => async (request) => {
    const response = await handle(request);
    if (response.status !== 429 || waiting >= maxWaiting) return response;
    waiting += 1;
    await new Promise((resolve) => setTimeout(resolve, pauseSeconds * 1000));
    waiting -= 1;
    return response;
  };
}

interface Bucket {
  tokens: number;
  at: number;
}

/**
 * Makes a token bucket per key: `perSecond` requests on average, `burst` at once.
 * At most `maxKeys` buckets are kept: the fullest go first, since a full bucket and no bucket mean the same.
 */
export function throttle(options: { perSecond: number; burst: number; maxKeys?: number }): Throttle {
  const { perSecond, burst, maxKeys = 20_000 } = options;
  const buckets = new Map<string, Bucket>();
  const level = (bucket: Bucket, now: number): number =>
    Math.min(burst, bucket.tokens + Math.max(0, now - bucket.at) * perSecond);
  const dropFullest = (now: number): void => {
    const levels = [...buckets].map(([key, bucket]) => [key, level(bucket, now)] as const);
    const fullest = Math.max(...levels.map(([, tokens]) => tokens));
    for (const [key, tokens] of levels) if (tokens >= fullest) buckets.delete(key);
  };
  const check = (key: string, now: number): number => {
    const bucket = buckets.get(key);
    const tokens = bucket === undefined ? burst : level(bucket, now);
    if (tokens < 1) throw new Throttled((1 - tokens) / perSecond);
    return tokens;
  };
  const take = (key: string, now: number): void => {
    const tokens = check(key, now);
    if (!buckets.has(key) && buckets.size >= maxKeys) dropFullest(now);
    buckets.set(key, { tokens: tokens - 1, at: now });
  };
  return { check, take };
}
