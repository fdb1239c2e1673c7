import type { Tools } from "@portvakt/runtime/process";
import type { KeyValueStore } from "@portvakt/runtime/store";
import type { Route, RouteTable } from "../app.ts";
import { callbackEndpoint } from "../endpoints/callback.ts";
import { loginEndpoint, type LoginOptions } from "../endpoints/login.ts";
import { localLogoutEndpoint, logoutCallbackEndpoint, logoutEndpoint } from "../endpoints/logout.ts";
import { backChannelEndpoint, frontChannelEndpoint } from "../endpoints/provider-logout.ts";
import { forwardAuthEndpoint, refreshEndpoint, sessionEndpoint } from "../endpoints/session.ts";
import { chooserPage } from "../pages/page.ts";
import type { Ingress } from "../request/ingress.ts";
import type { Doors } from "./doors.ts";
import type { SessionParts } from "./session.ts";

export interface RoutesOptions {
  readonly doors: Doors;
  readonly session: SessionParts;
  readonly store: KeyValueStore;
  readonly ingresses: readonly Ingress[];
  readonly afterLogout: string | undefined;
  readonly rateLimit: LoginOptions["rateLimit"];
  readonly forwardAuth: { readonly tokens: boolean } | undefined;
  readonly fetch: typeof fetch;
  readonly tools: Tools;
}

/** The table of our endpoints, with the rules before each. What a provider or a mode forbids is not in it. */
export function createRoutes(options: RoutesOptions): RouteTable {
  const { doors, session, store, ingresses, fetch, tools } = options;
  const { now, log, metrics } = tools;
  const logins = metrics.counter({
    name: "portvakt_login_logins_total",
    help: "Ends of sign-ins, by provider and outcome",
    labels: ["provider", "outcome"],
  });
  const started = metrics.counter({
    name: "portvakt_login_started_total",
    help: "Sign-ins begun, by provider",
    labels: ["provider"],
  });
  const logouts = metrics.counter({
    name: "portvakt_login_logouts_total",
    help: "Logouts, by operation",
    labels: ["operation"],
  });
  const base = {
    ...session,
    doors: doors.byName,
    ingresses,
    store,
    now,
    fetch,
    log,
    logins,
    started,
    logouts,
  };
  const chooser: LoginOptions["chooser"] = (visit, target) =>
    chooserPage({
      acceptLanguage: visit.headers["accept-language"],
      choices: [...doors.byName].map(([name, { connection }]) => ({
        title: connection.setup.habits.title,
        href: `${visit.ingress.prefix}/oauth2/login?provider=${encodeURIComponent(name)}&redirect=${encodeURIComponent(target)}`,
      })),
    });
  const read = ["GET", "HEAD"];
  const sessionBase = { ...base, forwardTokens: options.forwardAuth?.tokens === true };
  const routes: [string, Route][] = [
    [
      "/login",
      {
        methods: read,
        navigate: true,
        endpoint: loginEndpoint({ ...base, chooser, rateLimit: options.rateLimit }),
      },
    ],
    [
      "/logout",
      {
        methods: read,
        navigate: true,
        endpoint: logoutEndpoint({ ...base, afterLogout: options.afterLogout }),
      },
    ],
    [
      "/logout/callback",
      {
        methods: ["GET"],
        navigate: true,
        endpoint: logoutCallbackEndpoint({ ...base, afterLogout: options.afterLogout }),
      },
    ],
    ["/logout/frontchannel", { methods: ["GET"], endpoint: frontChannelEndpoint(base) }],
    ["/logout/backchannel", { methods: ["POST"], endpoint: backChannelEndpoint(base) }],
    ["/session", { methods: ["GET"], endpoint: sessionEndpoint(sessionBase) }],
    ["/session/refresh", { methods: ["POST", "GET"], csrf: true, endpoint: refreshEndpoint(sessionBase) }],
  ];
  for (const { callbackPath } of doors.byName.values())
    routes.push([callbackPath, { methods: ["GET"], navigate: true, endpoint: callbackEndpoint(base) }]);
  if ([...doors.byName.values()].every(({ connection }) => connection.setup.habits.localLogout))
    routes.push([
      "/logout/local",
      {
        methods: read,
        csrf: true,
        endpoint: localLogoutEndpoint({ ...base, afterLogout: options.afterLogout }),
      },
    ]);
  if (options.forwardAuth !== undefined)
    routes.push(["/session/forwardauth", { methods: ["GET"], endpoint: forwardAuthEndpoint(sessionBase) }]);
  return new Map(routes);
}
