import type { Clock } from "@portvakt/oauth";
import { problem } from "@portvakt/runtime/http";
import type { Admissions, Standing } from "../session/admission.ts";
import { cooldownOf } from "../session/model.ts";
import type { Refresher } from "../session/refresh.ts";
import type { Sessions } from "../session/store.ts";
import { viewSession } from "../session/view.ts";
import { withCookies, type Endpoint, type Visit } from "../visit.ts";
import type { OwnCookies } from "../session/cookies.ts";

export interface SessionOptions {
  readonly admissions: Admissions;
  readonly refresher: Pick<Refresher, "refresh">;
  readonly sessions: Pick<Sessions, "touch" | "find">;
  readonly cookies: Pick<OwnCookies, "clearSession">;
  /** Whether requests for the application refresh tokens that are due. */
  readonly automaticRefresh: boolean;
  readonly now: Clock;
}

/** `GET /oauth2/session`: what the application's pages may know of the session. Looking does not count as activity. */
export function sessionEndpoint(options: SessionOptions): Endpoint {
  return async (visit) => {
    const standing = await options.admissions.look(visit.headers.cookie, visit.ingress);
    if (standing.kind === "none") return unauthenticated(visit);
    if (standing.kind === "unavailable") return unavailable(visit);
    return show(standing, options);
  };
}

/** `POST /oauth2/session/refresh`: counts as activity, and refreshes the tokens unless that happened just now. */
export function refreshEndpoint(options: SessionOptions): Endpoint {
  return async (visit) => {
    const standing = await options.admissions.look(visit.headers.cookie, visit.ingress);
    if (standing.kind === "none" || standing.kind === "inactive") return unauthenticated(visit);
    if (standing.kind === "unavailable") return unavailable(visit);
    const { ticket, found } = standing;
    const { tokens } = found.session;
    try {
      const cool = options.now() >= tokens.refreshedAt + cooldownOf(tokens);
      if (cool && tokens.refreshToken !== undefined) {
        const renewal = await options.refresher.refresh(ticket, found.session);
        if (renewal.kind === "ended")
          return withCookies(unauthenticated(visit), [options.cookies.clearSession(visit.ingress)]);
      }
      options.sessions.touch(found.session);
      const now = await options.sessions.find(ticket);
      return now === undefined ? unauthenticated(visit) : show({ kind: "live", ticket, found: now }, options);
    } catch {
      return unavailable(visit);
    }
  };
}

function show(
  { found }: Extract<Standing, { kind: "live" | "inactive" }>,
  { now, automaticRefresh }: SessionOptions,
): Response {
  return Response.json(viewSession(found.session, found.timeoutAt, now(), automaticRefresh));
}

function unauthenticated(visit: Visit): Response {
  return problem(401, {
    title: "Unauthenticated",
    error: "unauthenticated",
    correlation_id: visit.correlationId,
  });
}

function unavailable(visit: Visit): Response {
  const details = { title: "Sessions cannot be read right now", correlation_id: visit.correlationId };
  return problem(503, details, { "retry-after": "2" });
}
