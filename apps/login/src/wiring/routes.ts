import type { Tools } from "@portvakt/runtime/process";
import type { KeyValueStore } from "@portvakt/runtime/store";
import type { Route, RouteTable } from "../app.ts";
import { callbackEndpoint } from "../endpoints/callback.ts";
import { loginEndpoint, type LoginOptions } from "../endpoints/login.ts";
import { localLogoutEndpoint, logoutCallbackEndpoint, logoutEndpoint } from "../endpoints/logout.ts";
import { backChannelEndpoint, frontChannelEndpoint } from "../endpoints/provider-logout.ts";
import { forwardAuthEndpoint, navigatePath, questionPath } from "../endpoints/forward-auth.ts";
import { refreshEndpoint, sessionEndpoint } from "../endpoints/session.ts";
import { chooserPage } from "../pages/page.ts";
import type { Ingress } from "../request/ingress.ts";
import {
  ssoCallbackEndpoint,
  ssoLoginEndpoint,
  ssoLogoutCallbackEndpoint,
  ssoLogoutEndpoint,
  type SsoProxyOptions,
} from "../sso/proxy.ts";
import type { Endpoint } from "../visit.ts";
import type { Doors } from "./doors.ts";
import type { GuestParts } from "./guest.ts";
import type { SessionParts } from "./session.ts";
import { metrics as table } from "../observed.ts";

export interface RoutesOptions {
  readonly doors: Doors;
  readonly session: SessionParts;
  readonly store: KeyValueStore;
  readonly ingresses: readonly Ingress[];
  readonly allowedOrigins: ReadonlySet<string>;
  readonly afterLogout: string | undefined;
  readonly rateLimit: LoginOptions["rateLimit"];
  readonly forwardAuth: { readonly tokens: boolean } | undefined;
  readonly automaticRefresh: boolean;
  readonly fetch: typeof fetch;
  readonly tools: Tools;
}

const read = ["GET", "HEAD"];

/** The table of our endpoints, with the rules before each. What a provider or a mode forbids is not in it. */
export function createRoutes(options: RoutesOptions): RouteTable {
  return new Map([...signInRoutes(options), ...logoutRoutes(options), ...sessionRoutes(options)]);
}

type Rows = [string, Route][];

function signInRoutes(options: RoutesOptions): Rows {
  const { doors, session, store, ingresses, fetch, tools, rateLimit } = options;
  const { now, log, metrics } = tools;
  const logins = metrics.counter(table.logins);
  const started = metrics.counter(table.started);
  const base = { ...session, doors: doors.byName, ingresses, store, now, fetch, log };
  const login = loginEndpoint({ ...base, started, rateLimit, chooser: chooserFor(doors) });
  const callback = callbackEndpoint({ ...base, logins });
  const callbacks = [...doors.byName.values()].map(({ callbackPath }): [string, Route] => [
    callbackPath,
    { methods: ["GET"], navigate: true, endpoint: callback },
  ]);
  return [["/login", { methods: read, navigate: true, endpoint: login }], ...callbacks];
}

function chooserFor(doors: Doors): LoginOptions["chooser"] {
  return (visit, target) =>
    chooserPage({
      acceptLanguage: visit.headers["accept-language"],
      choices: [...doors.byName].map(([name, { connection }]) => ({
        title: connection.setup.habits.title,
        href: `${visit.ingress.prefix}/oauth2/login?provider=${encodeURIComponent(name)}&redirect=${encodeURIComponent(target)}`,
      })),
    });
}

function logoutRoutes(options: RoutesOptions): Rows {
  const { doors, session, store, ingresses, fetch, tools, afterLogout } = options;
  const { now, log, metrics } = tools;
  const logouts = metrics.counter(table.logouts);
  const base = { ...session, doors: doors.byName, ingresses, store, now, fetch, log, logouts, afterLogout };
  const local = [...doors.byName.values()].every(({ connection }) => connection.setup.habits.localLogout);
  return [
    ["/logout", { methods: read, navigate: true, endpoint: logoutEndpoint(base) }],
    ["/logout/callback", { methods: ["GET"], navigate: true, endpoint: logoutCallbackEndpoint(base) }],
    ["/logout/frontchannel", { methods: ["GET"], endpoint: frontChannelEndpoint(base) }],
    ["/logout/backchannel", { methods: ["POST"], endpoint: backChannelEndpoint(base) }],
    ...(local
      ? ([["/logout/local", { methods: read, csrf: true, endpoint: localLogoutEndpoint(base) }]] as Rows)
      : []),
  ];
}

function sessionRoutes({ session, tools, automaticRefresh, ...options }: RoutesOptions): Rows {
  const base = { ...session, now: tools.now, automaticRefresh };
  return [
    ["/session", { methods: ["GET"], endpoint: sessionEndpoint(base) }],
    ["/session/refresh", { methods: ["POST", "GET"], csrf: true, endpoint: refreshEndpoint(base) }],
    ...forwardAuthRoutes({ ...options, session }),
  ];
}

interface ForwardAuthParts {
  readonly session: GuestParts;
  readonly ingresses: readonly Ingress[];
  readonly allowedOrigins: ReadonlySet<string>;
  readonly forwardAuth: { readonly tokens: boolean } | undefined;
}

function forwardAuthRoutes({ session, ingresses, allowedOrigins, forwardAuth }: ForwardAuthParts): Rows {
  if (forwardAuth === undefined) return [];
  const { tokens: forwardTokens } = forwardAuth;
  const endpoint = forwardAuthEndpoint({ ...session, ingresses, allowedOrigins, forwardTokens });
  return [
    [questionPath, { methods: "any", endpoint }],
    [navigatePath, { methods: "any", below: true, endpoint }],
  ];
}

/** The table of a proxy that leaves signing in to the server of its single sign-on. */
export function createGuestRoutes(options: SsoProxyOptions & ForwardAuthParts): RouteTable {
  const { server, session } = options;
  const relay: Endpoint = (visit) => server.relay(visit, session.cookies.sessionName(visit.ingress));
  const rows: Rows = [
    ["/login", { methods: read, navigate: true, endpoint: ssoLoginEndpoint(options) }],
    ["/callback", { methods: ["GET"], navigate: true, endpoint: ssoCallbackEndpoint }],
    ["/logout", { methods: read, navigate: true, endpoint: ssoLogoutEndpoint(options) }],
    ["/logout/callback", { methods: ["GET"], navigate: true, endpoint: ssoLogoutCallbackEndpoint(options) }],
    ["/logout/frontchannel", { methods: ["GET"], endpoint: relay }],
    ["/logout/backchannel", { methods: ["POST"], endpoint: relay }],
    ["/logout/local", { methods: read, csrf: true, endpoint: relay }],
    ["/session", { methods: ["GET"], endpoint: relay }],
    ["/session/refresh", { methods: ["POST", "GET"], csrf: true, endpoint: relay }],
  ];
  return new Map([...rows, ...forwardAuthRoutes(options)]);
}
