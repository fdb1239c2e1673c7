import type { Clock } from "@portvakt/oauth";
import { findCookie } from "../request/cookie-header.ts";
import type { Ingress } from "../request/ingress.ts";
import { remember } from "./bounded.ts";
import type { OwnCookies } from "./cookies.ts";
import type { Session, Ticket } from "./model.ts";
import type { Refresher } from "./refresh.ts";
import type { Found, Sessions } from "./store.ts";

/** What a request's session cookie turned out to be. */
export type Standing =
  | { readonly kind: "none" }
  | { readonly kind: "live" | "inactive"; readonly ticket: Ticket; readonly found: Found }
  | { readonly kind: "unavailable"; readonly cause: unknown };

/** Whether a request may go on as a signed-in user. */
export type Admission =
  | { readonly kind: "admitted"; readonly session: Session; readonly ticket: Ticket }
  | { readonly kind: "none"; readonly reason: "no_session" | "inactive" | "ended" | "level" }
  /** The store or the provider is away: nobody can say. Never treated as signed out, never as signed in. */
  | { readonly kind: "unavailable"; readonly what: "store" | "provider"; readonly cause?: unknown };

export interface Admissions {
  /** Looks the session up, without counting it as used and without refreshing. */
  look(cookieHeader: string | undefined, ingress: Ingress): Promise<Standing>;
  /** Whether a ticket's session has neither ended nor become inactive. Throws when the store is away. */
  isLive(ticket: Ticket): Promise<boolean>;
  /** Looks up, enforces the level, refreshes when due, and counts the request as activity. */
  admit(cookieHeader: string | undefined, ingress: Ingress): Promise<Admission>;
}

export interface AdmissionOptions {
  readonly cookies: Pick<OwnCookies, "sessionName" | "readTicket">;
  readonly sessions: Pick<Sessions, "find" | "touch">;
  readonly refresher: Pick<Refresher, "ensureFresh">;
  /** Whether a session's level is enough for this application. */
  readonly levelSuffices: (session: Session) => boolean;
  readonly now: Clock;
}

const maxTickets = 5000;

/** The gate that every proxied request passes. */
export function createAdmissions(options: AdmissionOptions): Admissions {
  const { sessions, now } = options;
  const ticketOf = rememberingTickets(options.cookies);

  const look = async (cookieHeader: string | undefined, ingress: Ingress): Promise<Standing> => {
    const ticket = ticketOf(cookieHeader, ingress);
    if (ticket === undefined) return { kind: "none" };
    try {
      const found = await sessions.find(ticket);
      if (found === undefined) return { kind: "none" };
      const active = found.timeoutAt === undefined || now() < found.timeoutAt;
      return { kind: active ? "live" : "inactive", ticket, found };
    } catch (cause) {
      return { kind: "unavailable", cause };
    }
  };
  return {
    look,
    async isLive(ticket) {
      const found = await sessions.find(ticket);
      return found !== undefined && (found.timeoutAt === undefined || now() < found.timeoutAt);
    },
    async admit(cookieHeader, ingress) {
      const standing = await look(cookieHeader, ingress);
      if (standing.kind === "none") return { kind: "none", reason: "no_session" };
      if (standing.kind === "inactive") return { kind: "none", reason: "inactive" };
      if (standing.kind === "unavailable")
        return { kind: "unavailable", what: "store", cause: standing.cause };
      const { ticket, found } = standing;
      if (!options.levelSuffices(found.session)) return { kind: "none", reason: "level" };
      try {
        const renewal = await options.refresher.ensureFresh(ticket, found.session);
        if (renewal.kind === "ended") return { kind: "none", reason: "ended" };
        if (renewal.kind === "unavailable") return { kind: "unavailable", what: "provider" };
        sessions.touch(renewal.session);
        return { kind: "admitted", session: renewal.session, ticket };
      } catch (cause) {
        return { kind: "unavailable", what: "store", cause };
      }
    },
  };
}

/** Unsealing a cookie costs more than the rest of a request; the same text always holds the same ticket. */
function rememberingTickets(
  cookies: AdmissionOptions["cookies"],
): (header: string | undefined, ingress: Ingress) => Ticket | undefined {
  const known = new Map<string, Ticket>();
  return (header, ingress) => {
    const sealed = findCookie(header, cookies.sessionName(ingress));
    if (sealed === undefined || sealed === "" || sealed.length > 1024) return undefined;
    const remembered = known.get(sealed);
    if (remembered !== undefined) return remembered;
    const ticket = cookies.readTicket(sealed);
    if (ticket === undefined) return undefined;
    remember(known, sealed, ticket, maxTickets);
    return ticket;
  };
}
