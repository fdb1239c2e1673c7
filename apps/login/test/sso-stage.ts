// A single sign-on: a server and two proxies before applications of their own, three processes' worth on one real Redis.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import type { TestContext } from "node:test";
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics, Secret } from "@portvakt/runtime/observe";
import type { Running } from "@portvakt/runtime/process";
import { openKeyValueStore } from "@portvakt/runtime/store";
import { settings, start } from "../src/index.ts";
import { openBrowser, type Browser } from "./browser.ts";
import { startProvider, type Knobs, type ProviderDouble } from "./provider-double.ts";

export const domain = "example.test";
export const login = `https://login.${domain}`;
export const apps = [`https://red.${domain}`, `https://blue.${domain}/base`] as const;
export const cookieName = "__Secure-sso-example";

export interface SsoStage {
  readonly provider: ProviderDouble;
  readonly clock: { now: number };
  readonly browser: () => Browser;
  /** A browser that signed in by way of the first application. */
  readonly signedIn: () => Promise<Browser>;
  /** What the applications saw, by number. */
  readonly seen: readonly http.IncomingMessage[][];
  /** Answers the applications' requests. */
  handler: http.RequestListener;
  /** host:port of the processes: the server, then the proxies. */
  readonly addresses: readonly string[];
  /** What proxies asked of the server. */
  readonly relayed: Request[];
  /** Stops the server. */
  readonly stopServer: () => Promise<void>;
}

export interface SsoOptions {
  readonly server?: Record<string, string>;
  readonly proxies?: Record<string, string>;
  readonly knobs?: Partial<Knobs>;
}

const common = {
  WONDERWALL_BIND_ADDRESS: "127.0.0.1:0",
  WONDERWALL_SSO_ENABLED: "true",
  WONDERWALL_SSO_SESSION_COOKIE_NAME: "sso-example",
  WONDERWALL_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString("base64"),
  WONDERWALL_SHUTDOWN_GRACEFUL_PERIOD: "1s",
};

/** Starts it all; the settings are the baseline's. Everything ends with the test. */
export async function openSso(t: TestContext, options: SsoOptions = {}): Promise<SsoStage> {
  const redis = process.env["PORTVAKT_TEST_REDIS_URL"];
  assert.ok(redis, "PORTVAKT_TEST_REDIS_URL is not set: start a Redis and name it there");
  const clock = { now: 1_800_000_000 };
  const now = (): number => clock.now;
  const provider = await startProvider({
    clientId: "sso",
    clientSecret: "s",
    now,
    knobs: options.knobs ?? {},
  });
  t.after(() => provider.close());
  const keyPrefix = `sso-test-${randomUUID()}:`;
  const addresses: string[] = [];
  const relayed: Request[] = [];
  const toServer: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    relayed.push(request.clone());
    const { host, pathname, search } = new URL(request.url);
    const headers = new Headers(request.headers);
    headers.set("x-forwarded-host", host);
    return fetch(`http://${addresses[0]}${pathname}${search}`, {
      ...init,
      headers,
      method: request.method,
    });
  };
  const startOne = async (env: Record<string, string>, fetcher?: typeof fetch): Promise<Running> => {
    const values = readSettings(settings, { ...common, WONDERWALL_REDIS_URI: redis, ...env });
    const store = await openKeyValueStore({ url: new Secret(redis), now, keyPrefix });
    const tools = { now, log: createLogger({ name: "login", level: "silent" }), metrics: createMetrics() };
    const running = await start(values, tools, {
      store,
      ...(fetcher === undefined ? {} : { fetch: fetcher }),
    });
    t.after(async () => {
      await running.close();
      await store.close();
    });
    addresses.push(new URL(running.addresses["public"]!).host);
    return running;
  };
  const server = await startOne({
    WONDERWALL_INGRESS: login,
    // Requests of proxies come as by an ingress controller: fetch writes Host itself.
    PORTVAKT_LOGIN_TRUSTED_PROXIES: "127.0.0.1",
    WONDERWALL_SSO_MODE: "server",
    WONDERWALL_SSO_DOMAIN: domain,
    WONDERWALL_SSO_SERVER_DEFAULT_REDIRECT_URL: `https://www.${domain}/`,
    WONDERWALL_OPENID_CLIENT_ID: "sso",
    WONDERWALL_OPENID_CLIENT_SECRET: "s",
    WONDERWALL_OPENID_WELL_KNOWN_URL: provider.wellKnownUrl,
    ...options.server,
  });
  const stage = {
    handler: (_request: http.IncomingMessage, response: http.ServerResponse) => void response.end("app"),
  };
  const seen: http.IncomingMessage[][] = [];
  for (const [index, ingress] of apps.entries()) {
    const application = http.createServer((request, response) => {
      seen[index]!.push(request);
      stage.handler(request, response);
    });
    application.listen(0, "127.0.0.1");
    await once(application, "listening");
    t.after(() => application.close().closeAllConnections());
    seen.push([]);
    const proxy = {
      WONDERWALL_INGRESS: ingress,
      WONDERWALL_SSO_MODE: "proxy",
      WONDERWALL_SSO_SERVER_URL: login,
      WONDERWALL_UPSTREAM_HOST: `127.0.0.1:${(application.address() as AddressInfo).port}`,
    };
    await startOne({ ...proxy, ...options.proxies }, toServer);
  }
  const hosts = Object.fromEntries(
    [login, ...apps].map((url, index) => [new URL(url).host, addresses[index]!]),
  );
  // Hosts of the domain without a proxy. Any other host is not found.
  const sites = http.createServer((_request, response) => void response.end("site")).listen(0, "127.0.0.1");
  await once(sites, "listening");
  t.after(() => sites.close().closeAllConnections());
  for (const name of ["www.", "", "a.b."])
    hosts[`${name}${domain}`] = `127.0.0.1:${(sites.address() as AddressInfo).port}`;
  const browser = (): Browser => openBrowser(hosts);
  return Object.assign(stage, {
    provider,
    clock,
    browser,
    seen,
    addresses,
    relayed,
    stopServer: () => server.close(),
    async signedIn() {
      const one = browser();
      const answer = await one.go(`${apps[0]}/oauth2/login?redirect=%2Fpage`);
      assert.equal(answer.status, 200, answer.url);
      return one;
    },
  });
}
