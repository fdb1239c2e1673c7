import { problem } from "@portvakt/runtime/http";
import { judgeCrossSite, isSafe } from "../request/csrf.ts";
import type { ExcludedPaths, ProviderOfPath } from "../request/exclusions.ts";
import type { Ingress } from "../request/ingress.ts";
import { isNavigation } from "../request/navigation.ts";
import { checkRedirect, homeOf } from "../request/redirect.ts";
import type { Passage } from "./passage.ts";
import { troubleAnswer } from "./trouble.ts";
import type { Admission, Admissions } from "../session/admission.ts";
import type { Session, Ticket } from "../session/model.ts";

/** A signed-in user's session, with the ticket that finds it again. */
export interface User {
  readonly session: Session;
  readonly ticket: Ticket;
}

/** What the gate says: go on (with or without a session), or this answer instead. */
export type Verdict =
  | { readonly kind: "pass"; readonly user: User | undefined }
  | { readonly kind: "answer"; readonly response: Response; readonly why: string };

export type Gate = (passage: Passage) => Promise<Verdict>;

export interface GateOptions {
  readonly admissions: Pick<Admissions, "admit">;
  readonly ingresses: readonly Ingress[];
  /** Further origins that may send unsafe requests with a session. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** Present = auto-login is on, but for these paths. */
  readonly autoLogin: { readonly excluded: ExcludedPaths } | undefined;
  /** Present = some paths are only for users of one provider. */
  readonly providerOf: ProviderOfPath | undefined;
}

/** Decides what may reach the application. With auto-login, nothing without a session does, but for the excluded paths. */
export function createGate(options: GateOptions): Gate {
  return async (passage) => {
    const { request, ingress, target } = passage;
    if (options.providerOf !== undefined && target.ambiguous)
      return answer("ambiguous_path", ambiguousPath(passage));
    const provider = options.providerOf?.(target.canonical);
    const admission: Admission =
      ingress === undefined
        ? { kind: "none", reason: "no_session" }
        : await options.admissions.admit(request.headers.cookie, ingress);
    if (admission.kind === "unavailable")
      return answer(`${admission.what}_unavailable`, unavailable(passage));
    if (
      admission.kind === "admitted" &&
      (provider === undefined || provider === admission.session.provider)
    ) {
      const refusal =
        ingress === undefined ? undefined : crossSiteRefusal(passage, ingress, options.allowedOrigins);
      if (refusal !== undefined) return answer("cross_site", crossSite(refusal, passage));
      return { kind: "pass", user: admission };
    }
    return options.autoLogin === undefined
      ? { kind: "pass", user: undefined }
      : demandLogin(passage, options, options.autoLogin.excluded, provider);
  };
}

function crossSiteRefusal(
  { request, upgrade }: Passage,
  ingress: Ingress,
  allowed: ReadonlySet<string>,
): string | undefined {
  if (!upgrade && isSafe(request.method ?? "GET")) return undefined;
  return judgeCrossSite(request.headers, ingress.origin, allowed);
}

function demandLogin(
  passage: Passage,
  options: GateOptions,
  excluded: ExcludedPaths,
  provider: string | undefined,
): Verdict {
  const { request, target, ingress } = passage;
  // What can be read in more than one way is excluded by no rule.
  if (!target.ambiguous && excluded(target.canonical)) return { kind: "pass", user: undefined };
  if (ingress === undefined) return answer("no_ingress", nowhereToSignIn(passage));
  if (!passage.upgrade && isNavigation(request.method ?? "GET", request.headers)) {
    const wanted = checkRedirect(target.path + target.search, ingress, options.ingresses) ?? homeOf(ingress);
    const headers = { location: loginAt(ingress, wanted, provider), "cache-control": "no-store" };
    return answer("login", new Response(null, { status: 302, headers }));
  }
  const page = checkRedirect(request.headers.referer, ingress, options.ingresses) ?? homeOf(ingress);
  return answer("unauthenticated", unauthenticated(loginAt(ingress, page, provider), passage));
}

function ambiguousPath({ correlationId }: Passage): Response {
  const detail = "The path can be read in more than one way, so no rule about paths can decide it.";
  return problem(400, { title: "Ambiguous path", detail, correlation_id: correlationId });
}

/** A background call cannot sign anybody in: it learns where a page should go, on the page's behalf. */
function unauthenticated(location: string, { correlationId }: Passage): Response {
  const details = {
    title: "Unauthenticated",
    detail: "There is no session. Send the user to the address in Location.",
    error: "unauthenticated, please log in",
    correlation_id: correlationId,
  };
  return problem(401, details, { location, vary: "sec-fetch-mode, sec-fetch-dest, accept" });
}

/** Sign-in ends at a declared ingress; a request that came in by another address could never bring its session along. */
function nowhereToSignIn({ correlationId }: Passage): Response {
  const detail = "There is no session, and the request's host and path are none of the declared ingresses.";
  return problem(401, { title: "Unauthenticated", detail, correlation_id: correlationId });
}

function loginAt(ingress: Ingress, target: string, provider: string | undefined): string {
  const chosen = provider === undefined ? "" : `&provider=${provider}`;
  return `${ingress.prefix}/oauth2/login?redirect=${encodeURIComponent(target)}${chosen}`;
}

function crossSite(reason: string, { correlationId }: Passage): Response {
  const detail = `Refused, because ${reason}. Origins besides the application's own are allowed by PORTVAKT_LOGIN_ALLOWED_ORIGINS.`;
  return problem(403, { title: "Cross-site request refused", detail, correlation_id: correlationId });
}

function unavailable(passage: Passage): Response {
  const detail = "Your session cannot be used right now.";
  return troubleAnswer(passage, 503, { title: "Temporarily unavailable", detail });
}

function answer(why: string, response: Response): Verdict {
  return { kind: "answer", response, why };
}
