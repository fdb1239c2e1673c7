import { findLoginHabits, levelSuffices } from "@portvakt/providers";
import type { Ingress } from "../request/ingress.ts";
import { createAdmissions } from "../session/admission.ts";
import { isExpired, type Session } from "../session/model.ts";
import { createRefresher, type RefreshOnce, type Refresher } from "../session/refresh.ts";
import type { DistantServer } from "../sso/distant-server.ts";
import { sessionBasics, type SessionBasicsOptions, type SessionParts } from "./session.ts";

/** What a proxy of a single sign-on has of sessions: it finds them, and leaves to the server whatever changes them. */
export type GuestParts = Omit<SessionParts, "refresher">;

export interface GuestOptions extends SessionBasicsOptions {
  readonly server: DistantServer;
  readonly ingresses: readonly Ingress[];
  /** The least level of this application's users. */
  readonly level: string | undefined;
  /** Whether requests have the server refresh tokens that are due; else pages see to that, as the baseline says. */
  readonly automaticRefresh: boolean;
}

/** Joins cookies, the shared store and admission. */
export function createGuestParts(options: GuestOptions): GuestParts {
  const { now } = options.tools;
  const { cookies, sessions } = sessionBasics(options);
  const throughServer: RefreshOnce = async (ticket) => {
    const [ingress] = options.ingresses;
    const [cookie] = ingress === undefined ? [] : cookies.writeSession(ingress, ticket).split(";", 1);
    const status = await options.server.refresh(cookie ?? "").catch(() => 503);
    const found = await sessions.find(ticket);
    if (found === undefined) return { kind: "ended" };
    return status >= 500 ? { kind: "unavailable" } : usable(found.session, now());
  };
  const never: Pick<Refresher, "ensureFresh"> = {
    ensureFresh: async (_ticket, session) => usable(session, now()),
  };
  const admissions = createAdmissions({
    cookies,
    sessions,
    refresher: options.automaticRefresh ? createRefresher(throughServer, now) : never,
    now,
    levelSuffices: ({ provider, level }) => {
      const habits = findLoginHabits(provider);
      return (
        options.level === undefined || (habits !== undefined && levelSuffices(habits, level, options.level))
      );
    },
  });
  return { cookies, sessions, admissions, settled: async () => {} };
}

/** An expired token is never passed on; the session goes on at the server, which the user passes at the next sign-in. */
function usable(session: Session, now: number): Awaited<ReturnType<RefreshOnce>> {
  return isExpired(session.tokens, now) ? { kind: "ended" } : { kind: "usable", session };
}
