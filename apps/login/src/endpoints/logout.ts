import { equalConstantTime, randomToken } from "@portvakt/oauth";
import type { CounterMetric, Logger } from "@portvakt/runtime/observe";
import type { Ingress } from "../request/ingress.ts";
import { checkRedirect, homeOf } from "../request/redirect.ts";
import type { Admissions } from "../session/admission.ts";
import type { OwnCookies } from "../session/cookies.ts";
import type { Session } from "../session/model.ts";
import type { Sessions } from "../session/store.ts";
import { redirect, withCookies, type Endpoint, type Visit } from "../visit.ts";
import { failure } from "./failure.ts";
import type { Door } from "./login.ts";
import { revokeLater } from "./revoke.ts";

export interface LogoutOptions {
  readonly doors: ReadonlyMap<string, Door>;
  readonly ingresses: readonly Ingress[];
  readonly cookies: OwnCookies;
  readonly admissions: Pick<Admissions, "look">;
  readonly sessions: Pick<Sessions, "end">;
  /** Where users go after a logout; an address of the operator's own choosing, so it may leave the ingress. */
  readonly afterLogout: string | undefined;
  readonly fetch: typeof fetch;
  readonly log: Logger;
  readonly logouts: CounterMetric;
}

/** `GET /oauth2/logout`: ends the session here, then at the provider (OpenID Connect RP-Initiated Logout 1.0 section 2). */
export function logoutEndpoint(options: LogoutOptions): Endpoint {
  const { cookies } = options;
  return async (visit) => {
    const session = await endSession(options, visit, "self_initiated");
    if (session === "unavailable")
      return failure(visit, 503, "unavailable", `${visit.ingress.prefix}/oauth2/logout`);
    const target = checkRedirect(visit.params.get("redirect"), visit.ingress, options.ingresses) ?? "";
    const state = randomToken(32);
    const location = await endSessionUrl(options, visit, session, state);
    const cleared = cookies.clearSession(visit.ingress);
    if (location === undefined)
      return redirect(target === "" ? (options.afterLogout ?? homeOf(visit.ingress)) : target, [cleared]);
    return redirect(location, [cleared, cookies.writeDeparture(visit.ingress, { state, target })]);
  };
}

/** `GET /oauth2/logout/callback`: the provider has ended its session and sends the browser back. */
export function logoutCallbackEndpoint(options: LogoutOptions): Endpoint {
  return (visit) => {
    const departure = options.cookies.readDeparture(visit.ingress, visit.cookies);
    const ours =
      departure !== undefined && equalConstantTime(departure.state, visit.params.get("state") ?? "");
    const asked = ours ? checkRedirect(departure.target, visit.ingress, options.ingresses) : undefined;
    return redirect(asked ?? options.afterLogout ?? homeOf(visit.ingress), [
      options.cookies.clearDeparture(visit.ingress),
    ]);
  };
}

/** `GET /oauth2/logout/local`: ends the session here and leaves the provider's alone. */
export function localLogoutEndpoint(options: LogoutOptions): Endpoint {
  return async (visit) => {
    if ((await endSession(options, visit, "local")) === "unavailable")
      return failure(visit, 503, "unavailable");
    return withCookies(new Response(null, { status: 204 }), [options.cookies.clearSession(visit.ingress)]);
  };
}

/** Ends the session that the browser has, if any. A store that is away may still show it, and not take its end. */
async function endSession(
  options: LogoutOptions,
  visit: Visit,
  operation: string,
): Promise<Session | undefined | "unavailable"> {
  const standing = await options.admissions.look(visit.headers.cookie, visit.ingress);
  if (standing.kind === "none") return undefined;
  if (standing.kind === "unavailable") return "unavailable";
  const { session } = standing.found;
  try {
    await options.sessions.end(session.id);
  } catch (err) {
    options.log.error(
      { err, operation, correlation_id: visit.correlationId },
      "a session could not be ended",
    );
    return "unavailable";
  }
  options.logouts.inc({ operation });
  void revokeLater(options, [session]);
  return session;
}

/** Waits, just after the start, until it is clear what is known of the provider: its own session is to end too. */
async function endSessionUrl(
  options: LogoutOptions,
  visit: Visit,
  session: Session | undefined,
  state: string,
): Promise<string | undefined> {
  const [first] = options.doors.values();
  const door = (session === undefined ? undefined : options.doors.get(session.provider)) ?? first;
  const provider = await door?.connection.provider().catch(() => undefined);
  if (provider?.metadata.end_session_endpoint === undefined) return undefined;
  const url = new URL(provider.metadata.end_session_endpoint);
  url.searchParams.set("client_id", provider.setup.clientId);
  url.searchParams.set(
    "post_logout_redirect_uri",
    `${visit.ingress.origin}${visit.ingress.prefix}/oauth2/logout/callback`,
  );
  url.searchParams.set("state", state);
  if (session !== undefined && session.tokens.idToken !== "")
    url.searchParams.set("id_token_hint", session.tokens.idToken);
  const hint = visit.params.get("logout_hint");
  if (hint !== null && hint !== "" && hint.length <= 500) url.searchParams.set("logout_hint", hint);
  return url.href;
}
