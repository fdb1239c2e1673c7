import type { Problem } from "@portvakt/runtime/config";
import { originsOf, type Origins } from "../request/cors.ts";
import { belongsTo, isLoopback, parseIngress, type Ingress } from "../request/ingress.ts";
import type { CookieOptions } from "../session/cookies.ts";
import type { LoginSettings } from "../settings/settings.ts";

/** What this process is in a single sign-on. */
export type Sso =
  | { readonly role: "alone" }
  | { readonly role: "server"; readonly cookieName: string; readonly domain: string; readonly home: string }
  | { readonly role: "proxy"; readonly cookieName: string; readonly server: string };

/** The settings of that, together. What is missing was said by `ssoProblems`. */
export function ssoOf(settings: LoginSettings): Sso {
  if (!settings.ssoEnabled) return { role: "alone" };
  const { ssoMode: role, ssoSessionCookieName: cookieName = "" } = settings;
  if (role === "proxy") return { role, cookieName, server: settings.ssoServerUrl ?? "" };
  return {
    role,
    cookieName,
    domain: settings.ssoDomain ?? "",
    home: settings.ssoServerDefaultRedirectUrl ?? "",
  };
}

/** The declared ingresses; those of a server send users on to the whole domain. Throws: Error with a sentence. */
export function ingressesOf(settings: LoginSettings): Ingress[] {
  const sso = ssoOf(settings);
  const ingresses = settings.ingresses.map(parseIngress);
  if (sso.role !== "server") return ingresses;
  return ingresses.map((one) => ({ ...one, signsInFor: { domain: sso.domain, home: sso.home } }));
}

/** The session's cookie, where it is shared. Proxies only read it. */
export function sharedCookie(sso: Sso): CookieOptions["shared"] {
  if (sso.role === "alone") return undefined;
  return { name: sso.cookieName, domain: sso.role === "server" ? sso.domain : undefined };
}

/** Origins whose pages may send unsafe requests: those that are listed, and a server's own domain. */
export function originsAllowed(
  settings: Pick<LoginSettings, "allowedOrigins">,
  sso: Sso,
  ingresses: readonly Ingress[],
): { readonly listed: ReadonlySet<string>; readonly domain: Origins; readonly all: Origins } {
  const listed = new Set(settings.allowedOrigins);
  const domain =
    sso.role === "server"
      ? originsOf(
          sso.domain,
          ingresses.some(({ secure }) => secure),
        )
      : { has: () => false };
  return { listed, domain, all: { has: (origin) => listed.has(origin) || domain.has(origin) } };
}

/** What a single sign-on needs and does not have. */
export function ssoProblems(settings: LoginSettings, ingresses: readonly Ingress[]): Problem[] {
  if (!settings.ssoEnabled) return [];
  const { ssoMode, ssoDomain: domain, ssoServerUrl: server } = settings;
  const needed: Record<string, unknown> = {
    REDIS_URI: settings.redisUri ?? settings.redisAddress,
    ENCRYPTION_KEYS: settings.encryptionKeys[0],
    SSO_SESSION_COOKIE_NAME: settings.ssoSessionCookieName,
    ...(ssoMode === "proxy"
      ? { SSO_SERVER_URL: server }
      : { SSO_DOMAIN: domain, SSO_SERVER_DEFAULT_REDIRECT_URL: settings.ssoServerDefaultRedirectUrl }),
  };
  const hint = `single sign-on (PORTVAKT_LOGIN_SSO_MODE=${ssoMode}) needs it`;
  const problems: Problem[] = Object.entries(needed)
    .filter(([, value]) => value === undefined)
    .map(([name]) => ({ env: `PORTVAKT_LOGIN_${name}`, problem: "is not set", hint }));
  const outside = ingresses.find(({ origin }) => !belongsTo(new URL(origin).hostname, domain ?? ""));
  if (domain !== undefined && outside !== undefined)
    problems.push({
      env: "PORTVAKT_LOGIN_SSO_DOMAIN",
      problem: `is not the domain of ${outside.host}: browsers would not send it the session's cookie`,
    });
  for (const [name, url] of [
    ["SSO_SERVER_URL", server],
    ["SSO_SERVER_DEFAULT_REDIRECT_URL", settings.ssoServerDefaultRedirectUrl],
  ] as const)
    if (url !== undefined && !url.startsWith("https:") && !isLoopback(new URL(url).hostname))
      problems.push({
        env: `PORTVAKT_LOGIN_${name}`,
        problem: "must be https: plain http is for localhost only",
      });
  return problems;
}
