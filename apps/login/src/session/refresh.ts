import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "@portvakt/oauth";
import { isExpired, isMistimed, nextRefreshAt, type Session, type Ticket, type Tokens } from "./model.ts";
import type { Sessions } from "./store.ts";

/** What the provider made of a refresh token. */
export type RefreshAnswer =
  | { readonly kind: "renewed"; readonly tokens: Tokens }
  /** Final: the session is over at the provider. */
  | { readonly kind: "refused" }
  /** The provider could not be asked, or answered with trouble of its own. */
  | { readonly kind: "unavailable" };

/** A session whose access token may be used; or why there is none. */
export type Renewal =
  | { readonly kind: "usable"; readonly session: Session }
  | { readonly kind: "ended" }
  | { readonly kind: "unavailable" };

/** One refresh of a session that was seen with these tokens. */
export type RefreshOnce = (ticket: Ticket, seen: Session) => Promise<Renewal>;

export interface ProviderRefreshOptions {
  readonly sessions: Pick<Sessions, "find" | "replace" | "lock" | "end">;
  readonly ask: (session: Session) => Promise<RefreshAnswer>;
  readonly now: Clock;
  readonly count: (outcome: RefreshAnswer["kind"]) => void;
  /** Takes tokens that came when the session had ended. */
  readonly discard: (session: Session) => void;
}

export interface Refresher {
  /** Gives a usable session at once when no refresh is due; else after the one refresh that is made for everybody. */
  ensureFresh(ticket: Ticket, session: Session): Promise<Renewal>;
  /** Refreshes now, whether due or not; the cooldown is the caller's to respect. */
  refresh(ticket: Ticket, session: Session): Promise<Renewal>;
}

/** The lock outlives the slowest answer of a provider (10 s); a holder that dies delays the others by no more than this. */
const lockSeconds = 15;
const waitSeconds = 20;
const pollMilliseconds = 20;
/** After a failed attempt the tokens in hand are used this long before the provider is asked again, seconds. */
const pauseAfterFailureSeconds = 5;
const maxPauses = 5000;
/** A failure that came sooner than this is tried once more, where nothing else is left; after a slower one the lock would run out. */
const quickFailureSeconds = 2;
const secondTryMilliseconds = 200;

/**
 * At most one refresh per session and process at any time; whoever waits gets the successor token. After a failure the tokens in hand
 * serve for a while.
 */
export function createRefresher(once: RefreshOnce, now: Clock): Refresher {
  const flights = new Map<string, Promise<Renewal>>();
  const pauses = new Map<string, number>();

  const refresh = (ticket: Ticket, session: Session): Promise<Renewal> => {
    const flying = flights.get(ticket.id);
    if (flying !== undefined) return flying;
    const flight = once(ticket, session).finally(() => flights.delete(ticket.id));
    flights.set(ticket.id, flight);
    return flight;
  };
  return {
    refresh,
    async ensureFresh(ticket, session) {
      const due = nextRefreshAt(session.tokens);
      const early = due === undefined || now() < due;
      if (early && !isMistimed(session.tokens, now())) return judgeExpiry(session, now());
      // A pause that seems longer was written by a clock that has been set back since.
      const pause = (pauses.get(ticket.id) ?? 0) - now();
      if (pause > 0 && pause <= pauseAfterFailureSeconds) return judgeExpiry(session, now());
      const renewal = await refresh(ticket, session);
      if (renewal.kind !== "unavailable") return renewal;
      if (pauses.size >= maxPauses) pauses.clear();
      pauses.set(ticket.id, now() + pauseAfterFailureSeconds);
      return judgeExpiry(session, now());
    },
  };
}

/** An expired token is never passed on. Without a refresh token the session is over; with one the provider may come back. */
function judgeExpiry(session: Session, now: number): Renewal {
  if (!isExpired(session.tokens, now)) return { kind: "usable", session };
  return { kind: session.tokens.refreshToken === undefined ? "ended" : "unavailable" };
}

/** Refreshes at the provider: one lock in the store for all processes, and a fence against a holder that was too slow. */
export function refreshAtProvider(options: ProviderRefreshOptions): RefreshOnce {
  return (ticket, seen) => refreshLocked(ticket, seen, options);
}

async function refreshLocked(
  ticket: Ticket,
  seen: Session,
  options: ProviderRefreshOptions,
): Promise<Renewal> {
  const { sessions, now } = options;
  const giveUpAt = now() + waitSeconds;
  for (;;) {
    const lock = await sessions.lock(ticket.id, lockSeconds);
    try {
      const found = await sessions.find(ticket);
      if (found === undefined) return { kind: "ended" };
      // Somebody else refreshed while we waited: theirs is the successor.
      if (found.session.tokens.accessToken !== seen.tokens.accessToken)
        return { kind: "usable", session: found.session };
      if (lock !== undefined) return await renew(ticket, found.session, { ...options, lock });
    } finally {
      // A lock that could not be given back frees itself; what it guarded is done.
      await lock?.release().catch(() => undefined);
    }
    if (now() >= giveUpAt) return { kind: "unavailable" };
    await delay(pollMilliseconds);
  }
}

/** A provider that stumbles once is asked again when the old token is no longer of use: else every waiting request would fail with it. */
async function askTwice(session: Session, options: ProviderRefreshOptions): Promise<RefreshAnswer> {
  const { ask, count, now } = options;
  const askedAt = now();
  const first = await ask(session);
  count(first.kind);
  const failedSoon = first.kind === "unavailable" && now() - askedAt < quickFailureSeconds;
  if (!failedSoon || !isExpired(session.tokens, now())) return first;
  await delay(secondTryMilliseconds);
  const second = await ask(session);
  count(second.kind);
  return second;
}

async function renew(
  ticket: Ticket,
  session: Session,
  options: ProviderRefreshOptions & { lock: NonNullable<Awaited<ReturnType<Sessions["lock"]>>> },
): Promise<Renewal> {
  const answer = await askTwice(session, options);
  if (answer.kind === "unavailable") return { kind: "unavailable" };
  if (answer.kind === "refused") {
    await options.sessions.end(session.id);
    return { kind: "ended" };
  }
  const renewed: Session = { ...session, tokens: answer.tokens };
  if (await options.sessions.replace(ticket, renewed, options.lock))
    return { kind: "usable", session: renewed };
  // Ended meanwhile, or a later holder of the lock wrote: what the store says now is what counts.
  const found = await options.sessions.find(ticket);
  if (found !== undefined) return { kind: "usable", session: found.session };
  options.discard(renewed);
  return { kind: "ended" };
}
