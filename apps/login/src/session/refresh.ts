import type { Clock } from "@portvakt/oauth";
import { isExpired, isMistimed, nextRefreshAt, type Session, type Ticket } from "./model.ts";

/** A session whose access token may be used; or why there is none. */
export type Renewal =
  | { readonly kind: "usable"; readonly session: Session }
  | { readonly kind: "ended" }
  | { readonly kind: "unavailable" };

/** One refresh of a session that was seen with these tokens. */
export type RefreshOnce = (ticket: Ticket, seen: Session) => Promise<Renewal>;

export interface Refresher {
  /** Gives a usable session at once when no refresh is due; else after the one refresh that is made for everybody. */
  ensureFresh(ticket: Ticket, session: Session): Promise<Renewal>;
  /** Refreshes now, whether due or not; the cooldown is the caller's to respect. */
  refresh(ticket: Ticket, session: Session): Promise<Renewal>;
  /** Resolves when no refresh is under way: a process that ends in the middle of one takes the new tokens with it. */
  settled(): Promise<void>;
}

/** After a failed attempt the tokens in hand are used this long before the provider is asked again, seconds. */
const pauseAfterFailureSeconds = 5;
const maxPauses = 5000;

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
    async settled() {
      while (flights.size > 0) await Promise.allSettled(flights.values());
    },
  };
}

/** An expired token is never passed on. Without a refresh token the session is over; with one the provider may come back. */
function judgeExpiry(session: Session, now: number): Renewal {
  if (!isExpired(session.tokens, now)) return { kind: "usable", session };
  return { kind: session.tokens.refreshToken === undefined ? "ended" : "unavailable" };
}
