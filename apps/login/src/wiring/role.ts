import { findLoginHabits } from "@portvakt/providers";
import type { Tools } from "@portvakt/runtime/process";
import type { KeyValueStore } from "@portvakt/runtime/store";
import type { RouteTable } from "../app.ts";
import { openToDomain } from "../sso/server.ts";
import { distantServer } from "../sso/distant-server.ts";
import type { Ingress } from "../request/ingress.ts";
import type { LoginSettings } from "../settings/settings.ts";
import type { Doors } from "./doors.ts";
import { createGuestParts, type GuestParts } from "./guest.ts";
import { createGuestRoutes, createRoutes } from "./routes.ts";
import { readKeys } from "./secrets.ts";
import { createSessionParts } from "./session.ts";
import { sharedCookie, type originsAllowed, type Sso } from "./sso.ts";

/** What differs between a proxy that signs in and one that leaves that to another. */
export interface Role {
  readonly session: GuestParts;
  readonly routes: RouteTable;
}

export interface RoleParts {
  readonly sso: Sso;
  readonly store: KeyValueStore;
  readonly doors: Doors;
  readonly ingresses: readonly Ingress[];
  readonly origins: ReturnType<typeof originsAllowed>;
  readonly fetch: typeof fetch;
  readonly tools: Tools;
}

/** Joins sessions and endpoints for what this process is. */
export function openRole(settings: LoginSettings, parts: RoleParts): Role {
  const { sso, store, doors, ingresses, origins, fetch, tools } = parts;
  if (sso.role === "proxy") return openGuest(settings, parts, sso.server);
  const session = createSessionParts({ ...basicsOf(settings, parts), doors: doors.byName, fetch });
  const { rateLimitEnabled, rateLimitLogins: logins, rateLimitWindow: windowSeconds } = settings;
  const routes = createRoutes({
    doors,
    session,
    store,
    ingresses,
    allowedOrigins: origins.listed,
    afterLogout: settings.postLogoutRedirectUri,
    rateLimit: rateLimitEnabled ? { logins, windowSeconds } : undefined,
    forwardAuth: forwardAuthOf(settings),
    automaticRefresh: sso.role === "alone" || settings.forwardAuth,
    fetch,
    tools,
  });
  return { session, routes: sso.role === "server" ? openToDomain(routes, origins.domain) : routes };
}

function openGuest(settings: LoginSettings, parts: RoleParts, url: string): Role {
  const { ingresses, origins, fetch } = parts;
  const habits = findLoginHabits(settings.provider);
  const level = settings.acrValues ?? habits?.defaultLevel;
  const locale = settings.uiLocales ?? habits?.defaultLocale;
  const server = distantServer(url, { fetch });
  const automaticRefresh = settings.forwardAuth;
  const session = createGuestParts({
    ...basicsOf(settings, parts),
    server,
    ingresses,
    level,
    automaticRefresh,
  });
  const forwardAuth = forwardAuthOf(settings);
  const allowedOrigins = origins.listed;
  const routes = createGuestRoutes({
    server,
    session,
    ingresses,
    level,
    locale,
    allowedOrigins,
    forwardAuth,
  });
  return { session, routes };
}

function basicsOf(settings: LoginSettings, { store, sso, tools }: RoleParts) {
  const { cookiePrefix: prefix, cookieSameSite: sameSite, cookieSecure: secure } = settings;
  const ring = readKeys(settings.encryptionKeys, tools.log);
  return {
    store,
    tools,
    cookies: { prefix, sameSite, secure, ring, shared: sharedCookie(sso) },
    lifetimes: {
      maxSeconds: settings.sessionMaxLifetime,
      inactivitySeconds: settings.sessionInactivity ? settings.sessionInactivityTimeout : undefined,
    },
  };
}

function forwardAuthOf(settings: LoginSettings): { readonly tokens: boolean } | undefined {
  return settings.forwardAuth ? { tokens: settings.forwardAuthSetHeaders } : undefined;
}
