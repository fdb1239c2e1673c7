// Puts a provider, an application and one or more login proxies on stage, on free ports, with a clock that tests set.
import http from "node:http";
import type { AddressInfo } from "node:net";
import { generateKeyPair, exportJWK, type JWK } from "jose";
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics, type Metrics } from "@portvakt/runtime/observe";
import { openKeyValueStore, type KeyValueStore } from "@portvakt/runtime/store";
import type { Running } from "@portvakt/runtime/process";
import { settings, start } from "../src/index.ts";
import { openBrowser, type Browser } from "./browser.ts";
import { startProvider, type Knobs, type ProviderDouble } from "./provider-double.ts";

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface Stage {
  readonly provider: ProviderDouble;
  readonly upstream: {
    readonly seen: Seen[];
    handler: http.RequestListener;
    readonly server: http.Server;
    readonly port: number;
  };
  readonly clock: { now: number };
  readonly store: KeyValueStore;
  readonly replicas: readonly Replica[];
  /** The declared ingress, `https://app.test` or what was asked for; browsers reach it through the first replica. */
  readonly ingress: string;
  readonly logs: string[];
  readonly browser: (replica?: number) => Browser;
  /** A browser that has signed in. */
  readonly signedIn: (replica?: number) => Promise<Browser>;
  readonly close: () => Promise<void>;
}

export interface Replica {
  readonly running: Running;
  readonly metrics: Metrics;
  /** host:port of the public listener. */
  readonly address: string;
}

export interface StageOptions {
  readonly env?: Record<string, string>;
  readonly ingress?: string;
  readonly replicas?: number;
  readonly knobs?: Partial<Knobs>;
  readonly store?: KeyValueStore;
  readonly secret?: boolean;
  readonly log?: boolean;
  readonly wellKnownUrl?: string;
}

let jwk: Promise<JWK> | undefined;
async function clientJwk(): Promise<JWK> {
  jwk ??= generateKeyPair("RS256", { extractable: true }).then(async ({ privateKey }) => ({
    ...(await exportJWK(privateKey)),
    kid: "client-key",
    alg: "RS256",
  }));
  return jwk;
}

const encryptionKey = Buffer.alloc(32, 7).toString("base64");

export async function openStage(options: StageOptions = {}): Promise<Stage> {
  const clock = { now: 1_800_000_000 };
  const now = (): number => clock.now;
  const key = await clientJwk();
  const provider = await startProvider({
    clientId: "client-1",
    now,
    ...(options.secret === true ? { clientSecret: "s3cret" } : { clientJwk: key }),
    ...(options.knobs === undefined ? {} : { knobs: options.knobs }),
  });
  const seen: Seen[] = [];
  const upstream: { seen: Seen[]; handler: http.RequestListener } = {
    seen,
    handler: (_request, response) => void response.end("application"),
  };
  const server = http.createServer((request, response) => {
    if (request.url?.startsWith("/raw") === true) return upstream.handler(request, response);
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      seen.push({
        method: request.method ?? "",
        url: request.url ?? "",
        headers: request.headers,
        rawHeaders: request.rawHeaders,
        body,
      });
      upstream.handler(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const port = (server.address() as AddressInfo).port;
  const ingress = options.ingress ?? "https://app.test";
  const store = options.store ?? (await openKeyValueStore({ now }));
  const logs: string[] = [];
  const replicas: Replica[] = [];
  for (let index = 0; index < (options.replicas ?? 1); index++) {
    const values = readSettings(settings, {
      PORTVAKT_LOGIN_BIND_ADDRESS: "127.0.0.1:0",
      PORTVAKT_LOGIN_INGRESSES: ingress,
      PORTVAKT_LOGIN_UPSTREAM_HOST: `127.0.0.1:${port}`,
      PORTVAKT_LOGIN_ENCRYPTION_KEYS: encryptionKey,
      PORTVAKT_LOGIN_CLIENT_ID: "client-1",
      PORTVAKT_LOGIN_WELL_KNOWN_URL: options.wellKnownUrl ?? provider.wellKnownUrl,
      PORTVAKT_LOGIN_SHUTDOWN_GRACE: "1s",
      ...(options.secret === true
        ? { PORTVAKT_LOGIN_CLIENT_SECRET: "s3cret" }
        : { PORTVAKT_LOGIN_CLIENT_JWK: JSON.stringify(key) }),
      ...options.env,
    });
    const metrics = createMetrics();
    const log = createLogger({
      name: "login",
      level: "debug",
      destination: { write: (line) => void logs.push(line) },
    });
    const running = await start(values, { now, log, metrics }, { store }).catch(async (error: unknown) => {
      await provider.close();
      server.close();
      throw error;
    });
    replicas.push({ running, metrics, address: new URL(running.addresses["public"]!).host });
  }
  const browser = (replica = 0): Browser =>
    openBrowser({ [ingress.replace(/^https?:\/\//, "").split("/")[0]!]: replicas[replica]!.address });
  return {
    provider,
    upstream: Object.assign(upstream, { server, port }),
    clock,
    store,
    replicas,
    ingress,
    logs,
    browser,
    async signedIn(replica = 0) {
      const one = browser(replica);
      const answer = await one.go(`${ingress}/oauth2/login`);
      if (answer.status !== 200)
        throw new Error(`sign-in ended with ${answer.status}: ${logs.slice(-3).join("")}`);
      return one;
    },
    async close() {
      for (const { running } of replicas) await running.close();
      await provider.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
