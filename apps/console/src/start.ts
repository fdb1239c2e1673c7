import { serve } from "@portvakt/runtime/http";
import type { Running, Tools } from "@portvakt/runtime/process";
import { createApp } from "./app.ts";
import { watchedHealth } from "./data/health.ts";
import { knownIssuers, lazyIssuer } from "./data/issuers.ts";
import { watchedManifests } from "./data/manifests.ts";
import { openTokenx, type Tokenx } from "./data/tokenx.ts";
import { createGuard, type LoginRules } from "./guard.ts";
import { check, keyIn, type Settings } from "./settings.ts";

/** Starts the console. What it asks (TokenX, servers, issuers) may be away: it says so on its pages. *Throws*: SettingsError. */
export async function start(settings: Settings, tools: Tools): Promise<Running> {
  check(settings);
  const { now, log } = tools;
  const current = watchedManifests(settings, now);
  const guard = createGuard({
    host: settings.bindAddress.host,
    secret: settings.accessSecret,
    login: loginRules(settings, tools),
    now,
  });
  const sources = {
    current,
    tokenx: await tokenxOf(settings, tools),
    health: watchedHealth(settings.serversFile, tools),
    findIssuer: knownIssuers(settings.issuers, tools),
    now,
  };
  const fetch = createApp({ guard, sources, log });
  const server = await serve({
    fetch,
    address: settings.bindAddress,
    log,
    metrics: tools.metrics,
    stopping: tools.stopping,
    maxHeaderBytes: 32_768,
    traces: { routes: [] },
  });
  return {
    addresses: { console: server.url },
    ready: () => ({ ready: true, checks: { listener: { ok: true } } }),
    close: () => server.close({ graceSeconds: settings.shutdownGraceSeconds }),
  };
}

function loginRules(settings: Settings, tools: Tools): LoginRules | undefined {
  const { loginProvider: provider, loginWellKnownUrl, loginAudience, loginGroups = [] } = settings;
  if (loginWellKnownUrl === undefined || loginAudience === undefined) return undefined;
  const issuer = lazyIssuer({ provider, wellKnownUrl: loginWellKnownUrl }, tools);
  return { issuer, audience: loginAudience, groups: loginGroups };
}

async function tokenxOf(settings: Settings, { now, log }: Tools): Promise<Tokenx | undefined> {
  const { tokenxUrl: url, readerId: id, readerJwk } = settings;
  const key = readerJwk && keyIn(readerJwk);
  return url === undefined || key === undefined
    ? undefined
    : openTokenx({ url, reader: { id, key }, now, log });
}
