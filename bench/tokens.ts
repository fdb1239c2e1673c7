// Introspections and cached tokens beside a bare node:http handler that reads the same bodies.
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { startStandins } from "@portvakt/standins";
import { createIdentity, now } from "./identities.ts";
import { latenciesAt } from "./rig/latency.ts";
import { requestText } from "./rig/load.ts";
import type { Load } from "./rig/load.ts";
import { measure } from "./rig/measure.ts";
import type { Subject } from "./rig/measure.ts";
import { bestOf, rsaCosts } from "./peers/openssl.ts";
import { reserveCores, cores, startGenerator, startNode, startPortvakt } from "./rig/processes.ts";
import type { Generator, Started } from "./rig/processes.ts";
import { compare } from "./rig/report.ts";
import { idleSidecar, memoryOfTokens, startingUp } from "./tokens-once.ts";
import type { Figure, Report } from "./rig/report.ts";

const json = { "content-type": "application/json" };
const distinctPerRound = 8000;
/** How many tokens come again and again. */
const users = 100;
/** Requests that go on to the provider, whose stand-in takes longer than what is measured. */
const askedPerRound = 600;
const perRound = 30_000;
const unit = "requests per CPU second";

const steadyRate = 1000;

interface Stage {
  readonly env: Readonly<Record<string, string>>;
  /** What the login proxy beside it needs, in one process with it. */
  readonly loginEnv: Readonly<Record<string, string>>;
  /** Starts a token API: one for each use, so that none pays for what another has left in memory. */
  readonly newServer: () => Promise<Started>;
  readonly plain: Started;
  readonly generator: Generator;
  /** An employee's token for the application, different each time. */
  readonly token: () => Promise<string>;
  /** The body of a request for one. */
  readonly machineToken: string;
  readonly newMachineToken: string;
  /** The body of a request for a token to call `target` with, for an employee; the token to exchange is another each time. */
  readonly exchange: () => Promise<string>;
}

/** Stand-ins, a token API for one application, the bare handler and the load generator. */
async function setUp(stack: AsyncDisposableStack): Promise<Stage> {
  const [own, clientId, targetId] = [await createIdentity(), randomUUID(), randomUUID()];
  const standins = stack.use(await startStandins({ now }));
  const admitted = { cluster: "local", namespace: "bench", application: "api" };
  const api = { client_id: clientId, name: "local:bench:api", jwks: { keys: [own.publicJwk] } };
  const target = {
    client_id: targetId,
    name: "local:bench:target",
    inbound: [admitted],
    allow_all_users: true,
  };
  standins.register({ entra: { applications: [api, target] } });
  const env = {
    PORTVAKT_TOKENS_BIND_ADDRESS: "127.0.0.1:0",
    AZURE_ENABLED: "true",
    AZURE_APP_CLIENT_ID: clientId,
    AZURE_APP_JWK: JSON.stringify(own.privateJwk),
    AZURE_APP_WELL_KNOWN_URL: `${standins.issuers.entra}/.well-known/openid-configuration`,
  };
  const order = { provider: "entra", persona: "anna", client_id: clientId, audience: clientId } as const;
  const token = (): Promise<string> =>
    standins.issue({ ...order, expiresIn: 3600, claims: { jti: randomUUID() } });
  const wanted = { identity_provider: "entra_id", target: `api://${targetId}/.default` };
  const program = fileURLToPath(new URL("peers/plain-handler.ts", import.meta.url));
  return {
    env,
    loginEnv: {
      PORTVAKT_LOGIN_BIND_ADDRESS: "127.0.0.1:0",
      PORTVAKT_LOGIN_INGRESSES: "http://localhost:1",
      PORTVAKT_LOGIN_COOKIE_SECURE: "false",
      PORTVAKT_LOGIN_PROVIDER: "entra",
    },
    newServer: async () => stack.use(await startPortvakt("tokens", env)),
    plain: stack.use(await startNode({ core: cores.server, args: [program] })),
    generator: stack.use(await startGenerator()),
    token,
    machineToken: JSON.stringify({
      ...wanted,
      token: "x".repeat(900), // as large a body as the others have, and a member that the bare handler reads
    }),
    newMachineToken: JSON.stringify({ ...wanted, skip_cache: true }),
    exchange: async () => JSON.stringify({ ...wanted, user_token: await token() }),
  };
}

const portOf = ({ addresses }: Started): number =>
  Number(new URL(addresses["tokens"] ?? addresses["main"] ?? "").port);

const introspection = (token: string): string =>
  requestText("/api/v1/introspect", json, JSON.stringify({ identity_provider: "entra_id", token }));

async function subjects(stage: Stage): Promise<readonly Subject[]> {
  const { newServer, plain, token, machineToken } = stage;
  const [seen, fresh, held, asked] = [
    await newServer(),
    await newServer(),
    await newServer(),
    await newServer(),
  ];
  const steady = (to: Started, requests: readonly string[]) => (): Load => ({
    port: portOf(to),
    connections: 32,
    requests,
    count: perRound,
  });
  const distinct = async (): Promise<Load> => {
    const requests: string[] = [];
    while (requests.length < distinctPerRound)
      requests.push(...(await Promise.all(Array.from({ length: 50 }, token))).map(introspection));
    return { port: portOf(fresh), connections: 32, requests, count: distinctPerRound };
  };
  const exchanges = async (): Promise<Load> => {
    const bodies = await Promise.all(Array.from({ length: askedPerRound }, stage.exchange));
    const requests = bodies.map((body) => requestText("/api/v1/token/exchange", json, body));
    return { port: portOf(asked), connections: 32, requests, count: askedPerRound };
  };
  const uncached = [requestText("/api/v1/token", json, stage.newMachineToken)];
  const repeated = (await Promise.all(Array.from({ length: users }, token))).map(introspection);
  const cached = [requestText("/api/v1/token", json, machineToken)];
  return [
    { name: "bare node:http handler", pids: [plain.pid], load: steady(plain, repeated) },
    { name: "introspect, a token seen before", pids: [seen.pid], load: steady(seen, repeated) },
    { name: "introspect, each token new", pids: [fresh.pid], load: distinct },
    { name: "machine token, cached", pids: [held.pid], load: steady(held, cached) },
    {
      name: "machine token, from the provider",
      pids: [asked.pid],
      load: () => ({ ...steady(asked, uncached)(), count: askedPerRound }),
    },
    { name: "exchange, each user token new", pids: [asked.pid], load: exchanges },
  ];
}

/** What the API adds to a request that a bare handler answers, at 1,000 requests/s. */
async function addedLatency(generator: Generator, all: readonly Subject[]): Promise<readonly Figure[]> {
  const [bare, seen, , cached] = all;
  if (bare === undefined || seen === undefined || cached === undefined) return [];
  const [plain, introspection, token] = await latenciesAt(generator, steadyRate, [bare, seen, cached]);
  return [
    ["introspect, a token seen before", introspection] as const,
    ["machine token, cached", token] as const,
  ].flatMap(([name, latency]) =>
    (["p50", "p99"] as const).map((key) => ({
      name: `${name}: ${key} at ${steadyRate} requests/s (beside: bare handler)`,
      ours: latency?.[key] ?? Number.NaN,
      beside: plain?.[key] ?? Number.NaN,
      unit: "ms",
    })),
  );
}

/** The token API's three uses, each beside the same requests to a handler that does nothing. */
export async function benchTokens(): Promise<Report> {
  reserveCores();
  await using stack = new AsyncDisposableStack();
  const stage = await setUp(stack);
  const before = rsaCosts(2);
  const all = await subjects(stage);
  const measured = await measure(stage.generator, all);
  const { verify } = bestOf(before, rsaCosts(2));
  const rates = measured.map(({ perCpuSecond }) => perCpuSecond);
  const [bare = Number.NaN, seen = Number.NaN, fresh = Number.NaN, cached = Number.NaN] = rates;
  const handler = { name: "bare node:http POST handler", value: bare };
  const withVerify = { name: "bare handler + openssl verify", value: 1 / (1 / bare + verify) };
  const figures = [
    ...(await addedLatency(stage.generator, all)),
    ...(await memoryOfTokens(stage.generator)),
    ...(await startingUp(stage.env)),
    ...(await idleSidecar({ ...stage.env, ...stage.loginEnv })),
  ];
  return {
    title: "Token API: 32 connections, one core, Entra ID tokens with RS256",
    measured,
    figures,
    notes: [
      `openssl speed rsa2048: verify ${(verify * 1e6).toFixed(0)} µs of CPU. The target for new tokens says: at most 1.5 times the CPU time of the bare handler plus one verify.`,
    ],
    results: [
      compare("tokens", seen, handler, 0.8, unit),
      compare("tokens, each token new", fresh, withVerify, 0.667, unit),
      compare("tokens, cached machine token", cached, handler, 0.8, unit),
    ],
  };
}
