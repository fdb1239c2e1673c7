// Starts the token API as its process would, on a free port, in front of provider doubles.
import { exportJWK, generateKeyPair, type JWK } from "jose";
import { readSettings } from "@portvakt/runtime/config";
import { createLogger, createMetrics } from "@portvakt/runtime/observe";
import type { Readiness } from "@portvakt/runtime/process";
import { settings, start } from "../src/index.ts";
import { startDouble, type Double } from "./double.ts";

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

export interface Api extends AsyncDisposable {
  readonly url: string;
  readonly entra: Double;
  readonly maskinporten: Double;
  readonly tokenx: Double;
  readonly idporten: Double;
  /** Seconds; moves only when a test moves it. */
  readonly clock: TestClock;
  /** Pauses that retries asked for, in seconds; none of them is waited for. */
  readonly pauses: number[];
  readonly logLines: string[];
  ready(): Promise<Readiness>;
  close(): Promise<void>;
  metrics(): Promise<string>;
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Reply>;
  form(path: string, body: Record<string, string>): Promise<Reply>;
}

export interface TestClock {
  seconds: number;
  /** By how much the API's own clock is wrong. */
  wrong?: number;
}

export interface ApiOptions {
  readonly env?: Record<string, string>;
  /** The client's key at every provider; one that all tests share when absent. */
  readonly key?: { readonly privateJwk: JWK; readonly publicJwk: JWK };
  /** The time, when a test shares it with doubles of its own. */
  readonly clock?: TestClock;
  /** Called with the doubles before the API starts. */
  readonly before?: (doubles: Pick<Api, "entra" | "maskinporten" | "tokenx" | "idporten">) => void;
}

export const clientIds = {
  entra: "3a5f7c1e-0000-4000-8000-000000000001",
  tokenx: "local:benefits:portal",
  maskinporten: "mp-client",
};

export async function clientKey(alg: string = "RS256"): Promise<{ privateJwk: JWK; publicJwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const named = { kid: `client-${alg}`, alg };
  return {
    privateJwk: { ...(await exportJWK(privateKey)), ...named },
    publicJwk: { ...(await exportJWK(publicKey)), ...named },
  };
}

const shared = await clientKey();

export async function startApi(options: ApiOptions = {}): Promise<Api> {
  const clock: TestClock = options.clock ?? { seconds: Math.floor(Date.now() / 1000) };
  const now = (): number => clock.seconds;
  const key = options.key ?? shared;
  const common = { now, clientKeys: [key.publicJwk] };
  const entra = await startDouble({ ...common, path: "/tenant/v2.0" });
  const maskinporten = await startDouble({ ...common, path: "/" });
  const tokenx = await startDouble(common);
  const idporten = await startDouble(common);
  const jwk = JSON.stringify(key.privateJwk);
  const doubles = [entra, maskinporten, tokenx, idporten];
  const closeDoubles = () => Promise.all(doubles.map((one) => one.close()));
  options.before?.({ entra, maskinporten, tokenx, idporten });
  const env = {
    PORTVAKT_TOKENS_BIND_ADDRESS: "127.0.0.1:0",
    AZURE_ENABLED: "true",
    AZURE_APP_CLIENT_ID: clientIds.entra,
    AZURE_APP_JWK: jwk,
    AZURE_APP_WELL_KNOWN_URL: entra.wellKnown,
    MASKINPORTEN_ENABLED: "true",
    MASKINPORTEN_CLIENT_ID: clientIds.maskinporten,
    MASKINPORTEN_CLIENT_JWK: jwk,
    MASKINPORTEN_WELL_KNOWN_URL: maskinporten.wellKnown,
    TOKEN_X_ENABLED: "true",
    TOKEN_X_CLIENT_ID: clientIds.tokenx,
    TOKEN_X_PRIVATE_JWK: jwk,
    TOKEN_X_WELL_KNOWN_URL: tokenx.wellKnown,
    IDPORTEN_ENABLED: "true",
    IDPORTEN_AUDIENCE: "https://benefits.example",
    IDPORTEN_WELL_KNOWN_URL: idporten.wellKnown,
    ...options.env,
  };
  const logLines: string[] = [];
  const log = createLogger({
    name: "tokens",
    level: "debug",
    destination: { write: (line) => void logLines.push(line) },
  });
  const metrics = createMetrics();
  const pauses: number[] = [];
  const seams = {
    random: () => 0.5,
    steady: now,
    wait: (seconds: number) => {
      pauses.push(seconds);
      return Promise.resolve();
    },
  };
  const startOrThrow = async () =>
    start(readSettings(settings, env), { now: () => now() + (clock.wrong ?? 0), log, metrics }, seams);
  const running = await startOrThrow().catch(async (error: unknown) => {
    await closeDoubles();
    throw error;
  });
  const url = running.addresses["tokens"] ?? "";
  const send = async (
    path: string,
    type: string,
    body: string,
    headers: Record<string, string> = {},
  ): Promise<Reply> => {
    const response = await fetch(url + path, {
      method: "POST",
      headers: { "content-type": type, ...headers },
      body,
    });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as Record<string, unknown>,
    };
  };
  return {
    url,
    entra,
    maskinporten,
    tokenx,
    idporten,
    clock,
    pauses,
    logLines,
    ready: async () => running.ready(),
    close: () => running.close(),
    metrics: () => metrics.render(),
    post: (path, body, headers) => send(path, "application/json", JSON.stringify(body), headers),
    form: (path, body) =>
      send(path, "application/x-www-form-urlencoded", new URLSearchParams(body).toString()),
    async [Symbol.asyncDispose]() {
      await running.close();
      await closeDoubles();
    },
  };
}

/** Waits until something holds; fails loudly instead of for ever. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2000; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setImmediate(resolve));
    if (tries > 200) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it did not come to hold");
}
