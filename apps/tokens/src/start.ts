import { lstat, rm } from "node:fs/promises";
import { createSigner, generatePrivateJwk } from "@portvakt/oauth";
import { createProofMaker, type MakeProof } from "@portvakt/providers";
import { SettingsError, type SettingsOf } from "@portvakt/runtime/config";
import { serve, type HttpServer } from "@portvakt/runtime/http";
import { noteOnRequest, tracedFetch } from "@portvakt/runtime/observe";
import type { Readiness, Running, Tools } from "@portvakt/runtime/process";
import { createAcquire, isFinalRefusal, pauseAskedFor, type IssuedToken } from "./acquire/acquire.ts";
import { createCache, type Cache } from "./acquire/cache.ts";
import { createApp, type AppOptions } from "./app.ts";
import { json, type Answer } from "./answers.ts";
import { createCallerCheck, isLoopback, secretFromFile } from "./callers.ts";
import type { Connection } from "./connections/connection.ts";
import { createConnections } from "./connections/connections.ts";
import { openOutbound } from "./connections/outbound.ts";
import { wireConnections } from "./connections/wire.ts";
import { openApiDocument } from "./docs/openapi.ts";
import { docsPage } from "./docs/page.ts";
import { createJudgePossession } from "./dpop/possession.ts";
import { dpopProof } from "./dpop/proof.ts";
import { exchange } from "./exchange.ts";
import { introspect } from "./introspect.ts";
import { createListener } from "./listener.ts";
import { createMeters, type Meters } from "./meters.ts";
import type { settings as schema } from "./settings.ts";
import { token } from "./token.ts";
import { createTokenMemory } from "./validate/memory.ts";

type Settings = SettingsOf<typeof schema>;

/** Seams for tests; production has none of them. */
export interface StartOptions {
  readonly fetch?: typeof fetch;
  readonly random?: () => number;
  /** A clock that nobody sets, in seconds. */
  readonly steady?: () => number;
  readonly wait?: (seconds: number) => Promise<void>;
}

const version = "0.1.0";

/** How often, and how many at once, tokens near their expiry are renewed while nobody asks for them. */
const renewalPauseMillis = 5000;
const renewalsAtOnce = 20;

/** Starts the token API. Throws: SettingsError; a provider that is down does not stop it. */
export async function start(settings: Settings, tools: Tools, seams: StartOptions = {}): Promise<Running> {
  checkExposure(settings);
  const outbound = await openOutbound(settings);
  const fetch = tracedFetch(seams.fetch ?? outbound.fetch);
  const { random = Math.random, steady = () => performance.now() / 1000 } = seams;
  const makeProof = await proofMaker(settings, tools);
  const connections = await wireConnections(settings, { now: tools.now, steady, fetch, random, makeProof });
  const meters = createMeters(tools.metrics);
  const cache = createCache<IssuedToken>({
    now: tools.now,
    steady,
    random,
    maxEntries: settings.cacheEntries,
    repeatSeconds: (error) => (isFinalRefusal(error) ? settings.refusalSeconds : pauseAskedFor(error)),
    isFinal: isFinalRefusal,
  });
  const parts = { ...seams, fetch, random, steady, makeProof, cache };
  const listening = await listen(settings, tools, appOptions(settings, tools, parts, connections, meters));
  const stopLoading = loadKeys(connections, tools);
  const renewing = setInterval(() => cache.renewDue(renewalsAtOnce), renewalPauseMillis).unref();
  const startedAt = tools.now();
  return {
    addresses: { tokens: listening.url },
    ready: () => readiness(connections, tools.now() - startedAt >= settings.readyWithinSeconds),
    async close() {
      stopLoading();
      clearInterval(renewing);
      await listening.close({ graceSeconds: settings.shutdownGraceSeconds });
      await outbound.close();
    },
  };
}

/**
 * What only several settings together can be wrong about: each provider has what it needs, its keys can be used, and the API
 * is not put on a network unguarded. Nothing is asked over the network. Throws: SettingsError.
 */
export async function check(settings: Settings): Promise<void> {
  checkExposure(settings);
  const nobody: typeof globalThis.fetch = () => Promise.reject(new TypeError("only checking"));
  await wireConnections(settings, { now: () => 0, steady: () => 0, fetch: nobody, random: () => 0 });
}

interface WireParts {
  readonly fetch: typeof fetch;
  readonly random: () => number;
  readonly steady: () => number;
  readonly makeProof: MakeProof | undefined;
  readonly cache: Cache<IssuedToken>;
}

/** The key that tokens are bound to lives as long as the process, and is written nowhere. */
async function proofMaker({ dpopProviders }: Settings, { now }: Tools): Promise<MakeProof | undefined> {
  if (dpopProviders.length === 0) return undefined;
  return createProofMaker({ signer: await createSigner(await generatePrivateJwk("ES256")), now });
}

const proofRoute = (makeProof: MakeProof): AppOptions["routes"] => ({
  "POST /api/v1/dpop-proof": (type, body) => dpopProof(makeProof, type, body),
});

/** An API that hands out tokens is not put on a network without a secret. */
function checkExposure({ bindAddress, socketPath, sharedSecretFile }: Settings): void {
  if (socketPath !== undefined || sharedSecretFile !== undefined || isLoopback(bindAddress.host)) return;
  throw new SettingsError([
    {
      env: "PORTVAKT_TOKENS_BIND_ADDRESS",
      problem: "is not a loopback address, and whoever reaches the API would get this application's tokens",
      hint: "bind to 127.0.0.1, set PORTVAKT_TOKENS_SOCKET_PATH, or set PORTVAKT_TOKENS_SHARED_SECRET_FILE",
    },
  ]);
}

function appOptions(
  settings: Settings,
  { now, log }: Tools,
  seams: StartOptions & WireParts,
  all: readonly Connection[],
  meters: Meters,
): AppOptions {
  const { fetch, random, steady, makeProof, cache } = seams;
  const connections = createConnections(all);
  const memory = createTokenMemory({ now, maxEntries: settings.verifiedEntries });
  const acquire = createAcquire({
    retries: settings.retries,
    attemptSeconds: inSeconds(settings.attemptMillis) ?? settings.attemptSeconds,
    overallSeconds: inSeconds(settings.overallMillis) ?? settings.overallSeconds,
    now,
    steady,
    random,
    fetch,
    cache,
    wait: seams.wait ?? ((seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))),
    observe: (provider, seconds, outcome) => {
      meters.provider(provider, seconds, outcome);
      meters.sizes(cache.size, memory.size, all);
    },
  });
  const tokenOptions = { now, steady, connections, acquire, observe: meters.cache };
  const judgePossession = createJudgePossession(now);
  const observe = meters.introspection;
  const introspectOptions = { now, fetch, connections, memory, judgePossession, observe };
  const api: AppOptions["routes"] = {
    "POST /api/v1/token": (type, body) => token(tokenOptions, type, body),
    "POST /api/v1/token/exchange": (type, body) => exchange(tokenOptions, type, body),
    "POST /api/v1/introspect": (type, body) => introspect(introspectOptions, type, body),
    ...(makeProof === undefined ? {} : proofRoute(makeProof)),
  };
  const document = openApiDocument(version, (path) =>
    Object.hasOwn(api, `POST ${path}`) ? providersAt(path, all) : undefined,
  );
  const [description, page] = [json(200, document), docsPage(document)];
  const routes = { ...api, "GET /docs": () => page, "GET /docs/openapi.json": () => description };
  return {
    mayCall: createCallerCheck(callerOptions(settings, now)),
    routes,
    observe: (path, answer) => {
      meters.request(path, answer.status);
      if (answer.status < 400) return;
      const refusal = refusalLine(path, answer);
      noteOnRequest({ error: refusal.error });
      if (answer.cause === undefined) log.info(refusal, "refused");
      else log[answer.status === 503 ? "warn" : "error"]({ ...refusal, err: answer.cause }, "request failed");
    },
  };
}

/** The providers that an endpoint has for this application. */
function providersAt(path: string, all: readonly Connection[]): readonly string[] {
  const has: Readonly<Record<string, (connection: Connection) => boolean>> = {
    "/api/v1/token": ({ provider, clientId }) => provider.token !== undefined && clientId !== undefined,
    "/api/v1/token/exchange": ({ provider, clientId }) =>
      provider.exchange !== undefined && clientId !== undefined,
    "/api/v1/introspect": () => true,
  };
  return all.filter((connection) => has[path]?.(connection) === true).map(({ provider }) => provider.name);
}

const inSeconds = (millis: number | undefined): number | undefined =>
  millis === undefined ? undefined : millis / 1000;

function callerOptions({ bindAddress, socketPath, sharedSecretFile }: Settings, now: () => number) {
  return {
    host: socketPath === undefined ? bindAddress.host : undefined,
    ...(sharedSecretFile === undefined ? {} : { sharedSecret: secretFromFile(sharedSecretFile, now) }),
  };
}

/** Error code and translation only: descriptions are the provider's words, and may hold anything. */
function refusalLine(path: string, { status, body }: Answer) {
  const { error, hint_code, owner, correlation_id } = JSON.parse(body) as Record<string, string | undefined>;
  return { path, status, error, hint_code, owner, correlation_id };
}

/** Small requests of one application, on its own machine. */
const maxHeaderBytes = 16_384;

async function listen(settings: Settings, tools: Tools, app: AppOptions): Promise<HttpServer> {
  const { socketPath, bindAddress } = settings;
  const { log, metrics, stopping } = tools;
  const traces = { routes: Object.keys(app.routes).map((route) => route.slice(route.indexOf(" ") + 1)) };
  const common = { listener: createListener(createApp(app)), log, metrics, stopping, maxHeaderBytes, traces };
  if (socketPath === undefined) return await serve({ ...common, address: bindAddress });
  await removeOldSocket(socketPath);
  // Only the owner of the file, and its group, may open it.
  const mask = process.umask(0o117);
  return await serve({ ...common, address: { socketPath } }).finally(() => process.umask(mask));
}

/** A socket that an earlier process left behind makes room; any other file stays. */
async function removeOldSocket(path: string): Promise<void> {
  const before = await lstat(path).catch(() => undefined);
  if (before !== undefined && !before.isSocket()) {
    const problem = "names a file that is there and is no socket";
    throw new SettingsError([{ env: "PORTVAKT_TOKENS_SOCKET_PATH", problem }]);
  }
  await rm(path, { force: true });
}

const firstPauseSeconds = 0.5;
const longestPauseSeconds = 15;

/** Fetches every provider's keys, and goes on trying for those that are down. */
function loadKeys(connections: readonly Connection[], { log }: Tools): () => void {
  const stopped = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  const load = async (connection: Connection, pauseSeconds: number): Promise<void> => {
    try {
      await connection.load();
      log.info({ provider: connection.provider.name, keys: connection.known?.keys.size }, "keys loaded");
    } catch (error) {
      log.warn(
        { provider: connection.provider.name, err: error },
        "keys could not be loaded; will try again",
      );
      if (stopped.signal.aborted) return;
      const timer = setTimeout(() => {
        timers.delete(timer);
        void load(connection, Math.min(longestPauseSeconds, pauseSeconds * 2));
      }, pauseSeconds * 1000);
      timers.add(timer);
    }
  };
  for (const connection of connections) void load(connection, firstPauseSeconds);
  return () => {
    stopped.abort();
    for (const timer of timers) clearTimeout(timer);
  };
}

/** Ready when every provider's keys are there; after a while without those that are down, for the others are of use. */
function readiness(connections: readonly Connection[], waitedLongEnough: boolean): Readiness {
  const checks = connections.map(({ provider, known, breaker, introspectionBreaker }) => {
    const size = known?.keys.size ?? 0;
    const answers = breaker.isClosed && introspectionBreaker.isClosed;
    const detail = size === 0 ? "keys not loaded" : answers ? `${size} keys` : `${size} keys; not answering`;
    return [provider.name, { ok: size > 0, detail }] as const;
  });
  const ready = checks.every(([, { ok }]) => ok) || waitedLongEnough;
  return { ready, checks: Object.fromEntries(checks) };
}
