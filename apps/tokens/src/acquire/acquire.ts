import { Fault, ReportedError, type Clock, type TokenResponse } from "@portvakt/oauth";
import { lifetimeSeconds, type Provider, type ProviderClient, type TokenKind } from "@portvakt/providers";
import { traced } from "@portvakt/runtime/observe";
import type { Binding } from "../dpop/binding.ts";
import { spans } from "../observed.ts";
import type { Breaker } from "./breaker.ts";
import type { Cache, Obtained, Perishable } from "./cache.ts";
import { withPatience, type Patience } from "./patience.ts";
import { withRetries, type RetryOptions, type Verdict } from "./retry.ts";

/** A token as it is handed to an application. */
export interface IssuedToken {
  readonly accessToken: string;
  readonly tokenType: TokenKind;
  /** Members that only some providers give, as they came: `scope`, `issued_token_type`. */
  readonly scope?: string;
  readonly issuedTokenType?: string;
}

/** The provider cannot be asked, or did not answer in time; nothing is known about the request itself. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  readonly retryAfterSeconds: number;
  constructor(message: string, retryAfterSeconds: number, options: { cause?: unknown } = {}) {
    super(message, options);
    this.retryAfterSeconds = Math.max(1, Math.ceil(retryAfterSeconds));
  }
}

/** One thing to get: what it is remembered by, and the two halves around the fetch. */
export interface Order {
  readonly provider: Provider;
  readonly target: string;
  readonly key: string;
  readonly skipCache: boolean;
  /** Renewed near its expiry even while nobody asks: for tokens that depend on no user's. */
  readonly ahead?: boolean;
  readonly client: () => Promise<ProviderClient>;
  readonly build: (client: ProviderClient) => Promise<Request>;
  readonly judge: (response: Response, expected: TokenKind) => Promise<TokenResponse>;
  readonly breaker: Breaker;
  readonly patience: Patience;
  /** Binds the token to a key; without it a bearer token is asked for. */
  readonly binding: Binding | undefined;
}

export interface AcquireOptions extends Omit<RetryOptions, "deadlineSeconds" | "now"> {
  /** The clock that everybody reads. */
  readonly now: Clock;
  /** One that nobody sets: how long things take and last is measured by it. */
  readonly steady: Clock;
  readonly cache: Cache<IssuedToken>;
  readonly fetch: typeof fetch;
  /** Bound on one attempt. */
  readonly attemptSeconds: number;
  /** Bound on all attempts together. */
  readonly overallSeconds: number;
  /** Called after each attempt: how long the provider took, and how it ended. */
  readonly observe: (provider: string, seconds: number, outcome: "ok" | "refused" | "failed") => void;
}

/** At once when the token is held, so that a hit costs no more than a look. */
export type Acquire = (order: Order) => Obtained<IssuedToken> | Promise<Obtained<IssuedToken>>;

/**
 * Gets tokens: from memory, else from the provider through breaker and retries.
 *
 * Throws: `ReportedError` as the provider reported it, `Unavailable`, or `Fault` `bad_key` for trouble of our own.
 */
export function createAcquire(options: AcquireOptions): Acquire {
  const { cache, steady, overallSeconds } = options;
  return (order) => {
    const load = (): Promise<Perishable<IssuedToken>> => {
      const flight = traced(spans.acquire, (span) => {
        span.note({ provider: order.provider.name, target: order.target });
        return withRetries(
          { ...options, now: steady, deadlineSeconds: overallSeconds },
          () => ask(options, order),
          (e) => verdict(order, e),
        );
      });
      return flight.then(perishable(options, kindOf(order))).catch((error: unknown) => {
        throw toUnavailable(order, error);
      });
    };
    return cache.obtain(order.key, {
      load,
      wait: (flight) =>
        withPatience(order.patience, flight, (seconds) => {
          throw new Unavailable(`${order.provider.title} has not answered within ${seconds} s`, 1);
        }),
      skip: order.skipCache,
      ahead: order.ahead === true,
    });
  };
}

/** Whether an error is a final refusal of this very request, which it would meet again. */
export function isFinalRefusal(error: unknown): boolean {
  return (
    error instanceof ReportedError &&
    error.status >= 400 &&
    error.status < 500 &&
    !passingStatuses.has(error.status) &&
    !wantsNonce(error)
  );
}

/** A provider that asks for more is asked again after this: it may have meant milliseconds. */
const longestPauseSeconds = 60;

/** For how long a provider that is asked too often wants to be left alone with this request, in seconds. */
export function pauseAskedFor(error: unknown): number | undefined {
  if (!(error instanceof ReportedError) || error.status !== 429) return undefined;
  const seconds = error.retryAfterSeconds;
  return seconds === undefined ? undefined : Math.min(longestPauseSeconds, seconds);
}

/** Refusals that say "not now": request timeout, too early, too many requests. */
const passingStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** RFC 9449 section 8: the nonce that the provider wants came with its refusal, so one more request will do, at once. */
async function ask(options: AcquireOptions, order: Order): Promise<TokenResponse> {
  try {
    return await send(options, order);
  } catch (error) {
    if (order.binding === undefined || !wantsNonce(error)) throw error;
    return send(options, order);
  }
}

const wantsNonce = (error: unknown): boolean =>
  error instanceof ReportedError && error.error === "use_dpop_nonce";

/** One request, made wholly anew: the client's assertion, too, may be used only once. */
async function send(options: AcquireOptions, order: Order): Promise<TokenResponse> {
  const { breaker, provider, patience } = order;
  const request = await order.build(await order.client());
  await order.binding?.prove(request);
  if (!breaker.enter())
    throw new Unavailable(`${provider.title} is not answering`, breaker.retryAfterSeconds());
  const started = options.steady();
  const done = (outcome: "ok" | "refused" | "failed"): void => {
    const took = options.steady() - started;
    if (outcome === "failed") breaker.failed();
    else {
      breaker.succeeded();
      patience.learn(took);
    }
    options.observe(provider.name, took, outcome);
  };
  try {
    const signal = AbortSignal.timeout(options.attemptSeconds * 1000);
    const response = await options.fetch(request, { signal });
    order.binding?.learn(response);
    const answer = await order.judge(response, kindOf(order));
    done("ok");
    return answer;
  } catch (error) {
    done(error instanceof ReportedError && error.status < 500 ? "refused" : "failed");
    if (error instanceof ReportedError || error instanceof Fault) throw error;
    throw new Fault("unreachable", `${provider.title} did not answer`, { cause: error });
  }
}

const kindOf = ({ binding }: Order): TokenKind => (binding === undefined ? "Bearer" : "DPoP");

function verdict({ provider, target, breaker, patience }: Order, error: unknown): Verdict {
  if (error instanceof ReportedError) {
    const passing =
      error.status >= 500 ||
      passingStatuses.has(error.status) ||
      provider.explain(error, target)?.passing === true;
    const afterSeconds = error.retryAfterSeconds ?? 0;
    // Callers are told to come back rather than kept waiting for longer than they wait.
    return passing && afterSeconds < patience.seconds
      ? { again: breaker.isClosed, afterSeconds }
      : { again: false };
  }
  return { again: error instanceof Fault && error.code !== "bad_key" && breaker.isClosed };
}

/** What crosses the wire about a provider that cannot be asked: nothing of the error itself. */
function toUnavailable({ provider, breaker }: Order, error: unknown): unknown {
  if (!(error instanceof Fault) || error.code === "bad_key") return error;
  const trouble =
    error.code === "unreachable" ? "is not answering" : "answered with something that is no token response";
  return new Unavailable(`${provider.title} ${trouble}`, breaker.retryAfterSeconds(), { cause: error });
}

const perishable =
  ({ now, steady }: AcquireOptions, tokenType: TokenKind) =>
  (answer: TokenResponse): Perishable<IssuedToken> => {
    // Without a lifetime it is handed out, but not kept.
    const seconds = lifetimeSeconds(answer, now()) ?? 0;
    return {
      value: {
        accessToken: answer.access_token,
        tokenType,
        ...(answer.scope === undefined ? {} : { scope: answer.scope }),
        ...(answer.issued_token_type === undefined ? {} : { issuedTokenType: answer.issued_token_type }),
      },
      expiresAt: steady() + seconds,
    };
  };
