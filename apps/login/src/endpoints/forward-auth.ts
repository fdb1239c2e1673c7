import { problem } from "@portvakt/runtime/http";
import { judgeCrossSite, isSafe } from "../request/csrf.ts";
import { withoutOwnCookies } from "../request/cookie-header.ts";
import type { Ingress } from "../request/ingress.ts";
import { isNavigation } from "../request/navigation.ts";
import { checkRedirect, homeOf } from "../request/redirect.ts";
import type { Admissions } from "../session/admission.ts";
import type { OwnCookies } from "../session/cookies.ts";
import { redirect, type Endpoint, type Visit } from "../visit.ts";
import { loginPath } from "./failure.ts";

export interface ForwardAuthOptions {
  readonly admissions: Pick<Admissions, "admit">;
  readonly cookies: Pick<OwnCookies, "isOwn">;
  readonly ingresses: readonly Ingress[];
  readonly allowedOrigins: ReadonlySet<string>;
  /** Whether the answer carries tokens, and the application's own cookies, for the proxy in front to pass on. */
  readonly forwardTokens: boolean;
}

/** Where a proxy in front asks whether a request may go on. */
export const questionPath = "/session/forwardauth";

/** Below this path a proxy in front finds redirects ready for the browser; what follows it is the path that was asked for. */
export const navigatePath = "/session/forwardauth/navigate";

/**
 * `/oauth2/session/forwardauth`: 204 when a proxy in front may let the request through; 401 when not, with the sign-in's address
 * in `Location`; below `/navigate` 302 to it where a person is waiting.
 * Checks: the session and its level, as the proxy does, and who sent an unsafe request. Does not check: paths; which of them need
 * a session is for the proxy in front to know, so no forwarded path can open one.
 */
export function forwardAuthEndpoint(options: ForwardAuthOptions): Endpoint {
  return async (visit) => {
    const { headers, ingress } = visit;
    const admission = await options.admissions.admit(headers.cookie, ingress);
    if (admission.kind === "none") return turnAway(options, visit);
    if (admission.kind === "unavailable")
      return refuse(visit, 503, "Sessions cannot be read right now", { "retry-after": "2" });
    if (!methodsOf(visit).every(isSafe) || wantsUpgrade(visit)) {
      const refusal = judgeCrossSite(headers, ingress.origin, options.allowedOrigins);
      if (refusal !== undefined) return refuse(visit, 403, "Cross-site request refused");
    }
    // Envoy takes 200 and nothing else for a yes; the baseline says 204.
    const status = visit.path.startsWith(navigatePath) ? 200 : 204;
    if (!options.forwardTokens) return new Response(null, { status });
    const { accessToken, idToken } = admission.session.tokens;
    return new Response(null, {
      status,
      headers: {
        authorization: `Bearer ${accessToken}`,
        "x-wonderwall-forward-auth-token": idToken,
        cookie: withoutOwnCookies(headers.cookie ?? "", options.cookies.isOwn),
      },
    });
  };
}

/** The method of the request that the proxy in front asks about, and that of its question. A cross-site page can set neither header. */
function methodsOf({ method, headers }: Visit): string[] {
  const told = [headers["x-forwarded-method"], headers["x-original-method"]];
  return [method, ...told.flatMap((one) => one ?? [])];
}

/** Browsers open WebSockets across sites without asking. Some proxies in front keep `Upgrade` to themselves. */
function wantsUpgrade({ headers }: Visit): boolean {
  return headers.upgrade !== undefined || headers["sec-fetch-mode"] === "websocket";
}

function turnAway(options: ForwardAuthOptions, visit: Visit): Response {
  const { headers, ingress } = visit;
  const [method = "GET"] = methodsOf(visit).toReversed();
  const person = isNavigation(method, headers) && !wantsUpgrade(visit);
  const page = person ? askedFor(visit) : headers.referer;
  const target = checkRedirect(page, ingress, options.ingresses) ?? homeOf(ingress);
  // Absolute: the proxy in front knows us by another address, and some resolve what is relative against that.
  const location = ingress.origin + loginPath(visit, target);
  return person && visit.path.startsWith(navigatePath)
    ? redirect(location)
    : refuse(visit, 401, "Unauthenticated", { location });
}

/** The page that was asked for: where the user comes back to, after the same check as any other such wish. */
function askedFor({ path, query, headers }: Visit): string | undefined {
  const below = path.slice(navigatePath.length);
  if (path.startsWith(`${navigatePath}/`)) return query === "" ? below : `${below}?${query}`;
  const told = headers["x-forwarded-uri"] ?? headers["x-original-uri"];
  return typeof told === "string" ? told : undefined;
}

function refuse(visit: Visit, status: number, title: string, headers: Record<string, string> = {}): Response {
  const error = status === 401 ? { error: "unauthenticated" } : {};
  return problem(status, { title, ...error, correlation_id: visit.correlationId }, headers);
}
