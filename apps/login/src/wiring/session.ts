import type { Tools } from "@portvakt/runtime/process";
import type { KeyValueStore } from "@portvakt/runtime/store";
import { levelSuffices } from "@portvakt/providers";
import type { Door } from "../endpoints/login.ts";
import { revokeLater } from "../endpoints/revoke.ts";
import { refreshTokens } from "../provider/tokens.ts";
import { createAdmissions, type Admissions } from "../session/admission.ts";
import { ownCookies, type CookieOptions, type OwnCookies } from "../session/cookies.ts";
import type { Lifetimes, Session } from "../session/model.ts";
import { refreshAtProvider, type RefreshAnswer } from "../session/at-provider.ts";
import { createRefresher, type Refresher } from "../session/refresh.ts";
import { unwrittenSessions } from "../session/unwritten.ts";
import { revocationsIn, type Revocations } from "../session/revocation.ts";
import { sessionsIn, type Sessions } from "../session/store.ts";
import { metrics as table } from "../observed.ts";

/** Everything about sessions, joined. */
export interface SessionParts {
  readonly cookies: OwnCookies;
  readonly sessions: Sessions;
  readonly refresher: Refresher;
  readonly admissions: Admissions;
  /** Resolves when no refresh is under way and no token waits for the store. */
  readonly settled: () => Promise<void>;
}

export interface SessionBasicsOptions {
  readonly store: KeyValueStore;
  readonly cookies: CookieOptions;
  readonly lifetimes: Lifetimes;
  readonly tools: Tools;
}

/** Joins cookies, store, refresh at the provider, and admission. */
export function createSessionParts(
  options: SessionBasicsOptions & { readonly doors: ReadonlyMap<string, Door>; readonly fetch: typeof fetch },
): SessionParts {
  const { doors, tools } = options;
  const { now, metrics } = tools;
  const wanted = ({ provider }: Session): boolean =>
    doors.get(provider)?.connection.known()?.metadata.revocation_endpoint !== undefined;
  const revocations = revocationsIn(options.store, { ring: options.cookies.ring, now, wanted });
  const { cookies, sessions } = sessionBasics(options, revocations);
  const refreshes = metrics.counter(table.refreshes);
  const ask = async (session: Session): Promise<RefreshAnswer> => {
    const connection = doors.get(session.provider)?.connection;
    const provider = await connection?.provider().catch(() => undefined);
    if (provider === undefined) return { kind: connection === undefined ? "refused" : "unavailable" };
    return refreshTokens(provider, session, { now, fetch: options.fetch });
  };
  const count = (outcome: RefreshAnswer["kind"]): void => refreshes.inc({ outcome });
  const discard = (session: Session): void =>
    void revokeLater({ doors, fetch: options.fetch, log: tools.log }, [session]);
  const unwritten = unwrittenSessions();
  const once = refreshAtProvider({ sessions, ask, now, count, discard, unwritten });
  const refresher = createRefresher(once, now);
  const admissions = createAdmissions({
    cookies,
    sessions,
    refresher,
    now,
    levelSuffices: (session) => isHighEnough(doors, session),
  });
  const settled = async (): Promise<void> => {
    await refresher.settled();
    await unwritten.settled();
  };
  return { cookies, sessions, refresher, admissions, settled };
}

/** The two parts that need nothing of a provider. */
export function sessionBasics(
  options: SessionBasicsOptions,
  revocations?: Revocations,
): Pick<SessionParts, "cookies" | "sessions"> {
  const { now, log } = options.tools;
  const sessions = sessionsIn(options.store, {
    lifetimes: options.lifetimes,
    now,
    revocations,
    onTouchFailed: (error) => log.warn({ err: error }, "activity could not be written"),
  });
  return { cookies: ownCookies(options.cookies), sessions };
}

/** A session of a provider that is no longer configured is worth nothing. */
function isHighEnough(doors: ReadonlyMap<string, Door>, session: Session): boolean {
  const door = doors.get(session.provider);
  if (door === undefined) return false;
  const required = door.defaults.level;
  return required === undefined || levelSuffices(door.connection.setup.habits, session.level, required);
}
