import { setTimeout as delay } from "node:timers/promises";
import { serve, serveStatus } from "@portvakt/runtime/http";
import type { Readiness, Running, Tools } from "@portvakt/runtime/process";
import { openKeyValueStore, type KeyValueStore } from "@portvakt/runtime/store";
import { createApp, tracedRoutes } from "./app.ts";
import { tracedFetch, type Logger } from "@portvakt/runtime/observe";
import { createGate } from "./proxy/gate.ts";
import { liveConnections, type LiveRegistry } from "./proxy/live.ts";
import { trustedPeers, type TrustedPeers } from "./proxy/peers.ts";
import { createProxy, type Proxy } from "./proxy/proxy.ts";
import type { Ingress } from "./request/ingress.ts";
import { compileExclusions, compileProviderPaths } from "./request/exclusions.ts";
import { withoutEffect } from "./settings/baseline.ts";
import { upstreamOrigin, type LoginSettings } from "./settings/settings.ts";
import { endedChannel } from "./session/ending.ts";
import type { UpstreamToken } from "./exchange/edge.ts";
import { openUpstream, type Upstream } from "./upstream/pool.ts";
import { upstreamToken } from "./wiring/edge.ts";
import { checkTogether } from "./wiring/together.ts";
import { providerNames } from "./wiring/client.ts";
import { openDoors, type Doors } from "./wiring/doors.ts";
import type { GuestParts } from "./wiring/guest.ts";
import { openRole, type RoleParts } from "./wiring/role.ts";
import { openQuestions } from "./wiring/questions.ts";
import { redisUrl } from "./wiring/secrets.ts";
import { ingressesOf, originsAllowed, ssoOf } from "./wiring/sso.ts";
import { serverFront } from "./sso/server.ts";
import { metrics as table } from "./observed.ts";

/** Parts that a test brings along; everything else is made from the settings. */
export interface StartParts {
  /** A store that several replicas in one process share. Whoever brings it closes it. */
  readonly store?: KeyValueStore;
  readonly fetch?: typeof fetch;
}

/** Finds what settings mean wrongly together, without starting anything. Throws: SettingsError. */
export async function check(settings: LoginSettings): Promise<void> {
  await checkTogether(settings, ingressesOf(settings));
}

/** Starts the login proxy: reads no environment, fails only for what an operator must mend (SettingsError). A provider that is down is not that. */
export async function start(settings: LoginSettings, tools: Tools, parts: StartParts = {}): Promise<Running> {
  const sso = ssoOf(settings);
  const ingresses = ingressesOf(settings);
  await checkTogether(settings, ingresses);
  for (const sentence of withoutEffect(settings)) tools.log.warn(sentence);
  const fetcher = tracedFetch(parts.fetch ?? fetch);
  const doors = await openDoors(settings, { ...tools, fetch: fetcher });
  const exchange = await upstreamToken(settings, { doors, fetch: fetcher, tools });
  const store = parts.store ?? (await openOwnStore(settings, tools));
  const origins = originsAllowed(settings, sso, ingresses);
  const shared = { sso, store, doors, ingresses, origins, tools };
  const { session, routes } = openRole(settings, { ...shared, fetch: fetcher });
  const live = liveConnections((ticket) => session.admissions.isLive(ticket));
  const unsubscribe = await hearOfEndings(store, live, tools.log);
  const upstream = openUpstream(originOf(settings), { ca: settings.upstreamCa });
  const trusted = trustedPeers(settings.trustedProxies);
  const proxy =
    sso.role === "server"
      ? serverFront(sso.home)
      : proxyOf(settings, { ...shared, session, trusted, live, upstream, exchange });
  const front = { routes, ingresses, allowedOrigins: origins.all, trusted, log: tools.log };
  const questions = await openQuestions(settings, front, tools);
  const app = createApp({ ...front, routes: questions.routes, proxy });
  const server = await serve({
    ...app,
    address: settings.bindAddress,
    log: tools.log,
    metrics: tools.metrics,
    stopping: tools.stopping,
    // Who is not trusted to say where a request came from does not say what trace it belongs to either.
    traces: { ...tracedRoutes(ingresses, questions.routes), trusts: trusted },
    requestTimeoutSeconds: 0,
  });
  // Node then takes what we do not pass on for the ordinary request that it also is.
  Object.assign(server.raw, { shouldUpgradeCallback: app.isUpgrade });
  const ready = (): Promise<Readiness> => readiness(doors, store);
  const { probeAddress: address } = settings;
  const probe = address === undefined ? undefined : await serveStatus({ ...tools, address, ready });
  return {
    addresses: {
      public: server.url,
      ...questions.addresses,
      ...(probe === undefined ? {} : { probe: probe.url }),
    },
    ready,
    async close() {
      const graceSeconds = settings.shutdownGraceSeconds;
      const early = new AbortController();
      const graceIsOver = delay(graceSeconds * 1000, undefined, { signal: early.signal }).catch(() => {});
      live.close();
      await Promise.all([server.close({ graceSeconds }), questions.close({ graceSeconds })]);
      // A refresh whose browser has left is no request any more, but its tokens must reach the store.
      await Promise.race([session.settled(), graceIsOver]);
      early.abort();
      await probe?.close({ graceSeconds: 0 });
      doors.close();
      await unsubscribe();
      upstream.close();
      if (parts.store === undefined) await store.close();
    },
  };
}

async function openOwnStore(settings: LoginSettings, { now, log }: Tools): Promise<KeyValueStore> {
  const where = redisUrl(settings);
  const store = await openKeyValueStore({ ...where, now, log });
  if (where.url === undefined)
    log.warn(
      "PORTVAKT_LOGIN_REDIS_URI is not set: sessions are kept in this process and no other replica sees them",
    );
  return store;
}

interface ProxyParts {
  readonly ingresses: readonly Ingress[];
  readonly session: GuestParts;
  readonly upstream: Upstream;
  readonly trusted: TrustedPeers;
  readonly origins: RoleParts["origins"];
  readonly live: LiveRegistry;
  readonly exchange: UpstreamToken | undefined;
  readonly tools: Tools;
}

/** The one place that knows whether auto-login is on: it chooses the gate and what becomes of `Authorization`. */
function proxyOf(settings: LoginSettings, parts: ProxyParts): Proxy {
  const { session, tools } = parts;
  const gate = createGate({
    admissions: session.admissions,
    ingresses: parts.ingresses,
    allowedOrigins: parts.origins.listed,
    providerOf:
      settings.providerPaths.length === 0
        ? undefined
        : compileProviderPaths(settings.providerPaths, providerNames(settings)),
    autoLogin: settings.autoLogin
      ? { excluded: compileExclusions(settings.autoLoginIgnorePaths) }
      : undefined,
  });
  const answers = tools.metrics.counter(table.answered);
  return createProxy({
    gate,
    upstream: parts.upstream,
    upstreamCa: settings.upstreamCa,
    upstreamToken: parts.exchange,
    isOwnCookie: session.cookies.isOwn,
    trusted: parts.trusted,
    includeIdToken: settings.upstreamIncludeIdToken,
    passAuthorization: !settings.autoLogin && !settings.stripAuthorization,
    accessLog: settings.upstreamAccessLogs,
    live: parts.live,
    log: tools.log,
    answers,
  });
}

/** A session that ends on any replica closes what it has open on this one. */
async function hearOfEndings(
  store: KeyValueStore,
  live: LiveRegistry,
  log: Logger,
): Promise<() => Promise<void>> {
  try {
    return await store.subscribe(endedChannel, (id) => live.end(id));
  } catch (error) {
    log.warn({ err: error }, "open connections will not be closed by logouts elsewhere");
    return async () => {};
  }
}

async function readiness(doors: Doors, store: KeyValueStore): Promise<Readiness> {
  const stored = await store.ping().then(
    () => ({ ok: true }),
    () => ({ ok: false, detail: "the session store does not answer" }),
  );
  const checks: Record<string, { ok: boolean; detail?: string }> = { store: stored };
  for (const [name, { connection }] of doors.byName) {
    const trouble = connection.trouble();
    if (trouble !== undefined) checks[`provider:${name}`] = { ok: false, detail: trouble };
    else if (connection.isLastKnown())
      checks[`provider:${name}`] = { ok: true, detail: "away; what it last said of itself is used" };
    else checks[`provider:${name}`] = { ok: true };
  }
  return { ready: Object.values(checks).every((check) => check.ok), checks };
}

function originOf(settings: Pick<LoginSettings, "upstreamHost" | "upstreamIp" | "upstreamPort">): string {
  const { upstreamIp, upstreamPort } = settings;
  if (upstreamIp === undefined) return upstreamOrigin(settings.upstreamHost);
  return upstreamOrigin(`${upstreamIp.includes(":") ? `[${upstreamIp}]` : upstreamIp}:${upstreamPort}`);
}
