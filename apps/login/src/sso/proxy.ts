import type { Ingress } from "../request/ingress.ts";
import { checkRedirect, homeOf } from "../request/redirect.ts";
import { redirect, type Endpoint, type Visit } from "../visit.ts";
import { loginPath } from "../endpoints/failure.ts";
import type { DistantServer } from "./distant-server.ts";

export interface SsoProxyOptions {
  readonly server: DistantServer;
  readonly ingresses: readonly Ingress[];
  /** What this application's users are asked for unless the request says otherwise. */
  readonly level: string | undefined;
  readonly locale: string | undefined;
}

/** Wishes about a sign-in that the server takes as this proxy got them. */
const wishes = ["level", "locale", "prompt", "max_age", "domain_hint", "login_hint", "provider"];

/** `GET /oauth2/login`: to the server, which sends the user back to the page of this application that was asked for. */
export function ssoLoginEndpoint(options: SsoProxyOptions): Endpoint {
  return (visit) => {
    const to = options.server.address("/login");
    if (options.level !== undefined) to.searchParams.set("level", options.level);
    if (options.locale !== undefined) to.searchParams.set("locale", options.locale);
    copy(visit, wishes, to);
    to.searchParams.set("redirect", pageOf(visit, options.ingresses));
    return redirect(to.href);
  };
}

/** `GET /oauth2/logout`: to the server, where the session ends for all applications. */
export function ssoLogoutEndpoint(options: SsoProxyOptions): Endpoint {
  return (visit) => {
    const to = options.server.address("/logout");
    copy(visit, ["logout_hint"], to);
    if (visit.params.has("redirect")) to.searchParams.set("redirect", pageOf(visit, options.ingresses));
    return redirect(to.href);
  };
}

/** `GET /oauth2/callback`: no sign-in begins here, so none can end here; it begins anew. */
export const ssoCallbackEndpoint: Endpoint = (visit) => redirect(loginPath(visit, homeOf(visit.ingress)));

/** `GET /oauth2/logout/callback`: no logout begins here either. */
export function ssoLogoutCallbackEndpoint({ server }: SsoProxyOptions): Endpoint {
  return () => redirect(server.address("/logout").href);
}

function copy(visit: Visit, names: readonly string[], to: URL): void {
  for (const name of names) {
    const value = visit.params.get(name);
    if (value !== null && value !== "") to.searchParams.set(name, value);
  }
}

/** The page that was asked for, as the server must name it: with this application's own origin, whatever the request said. */
function pageOf(visit: Visit, ingresses: readonly Ingress[]): string {
  const page = checkRedirect(visit.params.get("redirect"), visit.ingress, ingresses) ?? homeOf(visit.ingress);
  return visit.ingress.origin + page;
}
