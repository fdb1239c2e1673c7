import { cooldownOf, nextRefreshAt, type Session } from "./model.ts";

/** The session as the baseline's JSON shows it to the application's pages. */
export interface SessionView {
  readonly session: {
    readonly created_at: string;
    readonly ends_at: string;
    readonly timeout_at: string;
    readonly ends_in_seconds: number;
    readonly active: boolean;
    readonly timeout_in_seconds: number;
  };
  readonly tokens: {
    readonly expire_at: string;
    readonly refreshed_at: string;
    readonly expire_in_seconds: number;
    readonly next_auto_refresh_in_seconds: number;
    readonly refresh_cooldown: boolean;
    readonly refresh_cooldown_seconds: number;
  };
}

/** What "not applicable" looks like in a time and in a number of seconds. */
const noTime = "0001-01-01T00:00:00Z";
const noSeconds = -1;

/**
 * Describes a session at the time `now`. `timeoutAt` is when it becomes inactive, undefined when it never does; `automatic` whether
 * requests for the application refresh its tokens.
 */
export function viewSession(
  session: Session,
  timeoutAt: number | undefined,
  now: number,
  automatic: boolean,
): SessionView {
  const { tokens } = session;
  const next = automatic ? nextRefreshAt(tokens) : undefined;
  const cooldown = Math.max(0, tokens.refreshedAt + cooldownOf(tokens) - now);
  return {
    session: {
      created_at: time(session.createdAt),
      ends_at: time(session.endsAt),
      timeout_at: time(timeoutAt),
      ends_in_seconds: remaining(session.endsAt, now),
      active: timeoutAt === undefined || now < timeoutAt,
      timeout_in_seconds: timeoutAt === undefined ? noSeconds : remaining(timeoutAt, now),
    },
    tokens: {
      expire_at: time(tokens.expiresAt),
      refreshed_at: time(tokens.refreshedAt),
      expire_in_seconds: tokens.expiresAt === undefined ? noSeconds : remaining(tokens.expiresAt, now),
      next_auto_refresh_in_seconds: next === undefined ? noSeconds : remaining(next, now),
      refresh_cooldown: cooldown > 0,
      refresh_cooldown_seconds: Math.ceil(cooldown),
    },
  };
}

function time(seconds: number | undefined): string {
  return seconds === undefined
    ? noTime
    : new Date(Math.floor(seconds) * 1000).toISOString().replace(".000Z", "Z");
}

function remaining(until: number, now: number): number {
  return Math.max(0, Math.floor(until - now));
}
