// Requests through the login proxy with a live session, beside nginx doing plain proxying.
import { once } from "node:events";
import http from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startStandins } from "@portvakt/standins";
import { createIdentity, now } from "./identities.ts";
import { requestText } from "./rig/load.ts";
import type { Load } from "./rig/load.ts";
import { latenciesAt } from "./rig/latency.ts";
import type { Latency } from "./rig/latency.ts";
import { measure } from "./rig/measure.ts";
import { freePort, startNginx } from "./peers/nginx.ts";
import type { Nginx } from "./peers/nginx.ts";
import {
  reserveCores,
  cores,
  megabytesOf,
  startGenerator,
  startNode,
  startPortvakt,
} from "./rig/processes.ts";
import type { Generator, Started } from "./rig/processes.ts";
import { compare, median } from "./rig/report.ts";
import type { Figure, Report } from "./rig/report.ts";

const perRound = 30_000;
const steadyRate = 1000;

/** A navigation, without following redirects. Not fetch: it names itself a script's request, which a login does not answer. */
async function navigate(url: URL, cookie: string): Promise<http.IncomingMessage> {
  const headers = { cookie, accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const request = http.get({
    host: "127.0.0.1",
    port: url.port,
    path: url.pathname + url.search,
    headers: { ...headers, host: url.host },
  });
  const [response] = (await once(request, "response")) as [http.IncomingMessage];
  response.resume();
  return response;
}

function keepCookies(jar: Map<string, string>, lines: readonly string[] = []): void {
  for (const line of lines) {
    const [pair = ""] = line.split(";");
    const name = pair.slice(0, pair.indexOf("="));
    if (/max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, pair.slice(name.length + 1));
  }
}

const cookieHeader = (jar: ReadonlyMap<string, string> = new Map()): string =>
  [...jar].map(([name, value]) => `${name}=${value}`).join("; ");

/** Signs a persona in as a browser does: follows redirects, keeps cookies. Gives the proxy's cookies. */
async function signIn(ingress: string, persona: string): Promise<string> {
  const jars = new Map<string, Map<string, string>>();
  let url = new URL(`${ingress}/oauth2/login?redirect=/&login_hint=${persona}`);
  for (let hops = 0; hops < 20; hops++) {
    const jar = jars.get(url.host) ?? new Map<string, string>();
    jars.set(url.host, jar);
    const { statusCode, headers } = await navigate(url, cookieHeader(jar));
    keepCookies(jar, headers["set-cookie"]);
    if (headers.location === undefined) {
      if (statusCode !== 200) throw new Error(`signing in ended at ${url.pathname} with ${statusCode}`);
      return cookieHeader(jars.get(new URL(ingress).host));
    }
    url = new URL(headers.location, url);
  }
  throw new Error("signing in did not end");
}

interface Stage {
  readonly ingress: string;
  readonly nginx: Nginx;
  readonly upstreamPort: number;
  readonly proxy: Started;
  readonly generator: Generator;
}

/** A stand-in for ID-porten, an application, nginx and the login proxy in front of it, the load generator. */
async function setUp(stack: AsyncDisposableStack): Promise<Stage> {
  const ingress = `http://localhost:${await freePort()}`;
  const own = await createIdentity();
  const standins = stack.use(await startStandins({ now }));
  const client = { client_id: "bench", jwks: { keys: [own.publicJwk] }, access_token_lifetime: 3600 };
  standins.register({
    idporten: { clients: [{ ...client, redirect_uris: [`${ingress}/oauth2/callback`] }] },
  });
  const program = fileURLToPath(new URL("peers/upstream.ts", import.meta.url));
  const upstream = stack.use(await startNode({ core: cores.load, args: [program] }));
  const upstreamPort = Number(new URL(upstream.addresses["main"] ?? "").port);
  const nginx = stack.use(await startNginx(upstreamPort));
  const proxy = await startPortvakt("login", {
    PORTVAKT_LOGIN_STATUS_ADDRESS: "127.0.0.1:0",
    PORTVAKT_LOGIN_BIND_ADDRESS: `127.0.0.1:${new URL(ingress).port}`,
    PORTVAKT_LOGIN_INGRESSES: ingress,
    PORTVAKT_LOGIN_UPSTREAM_HOST: `127.0.0.1:${upstreamPort}`,
    PORTVAKT_LOGIN_COOKIE_SECURE: "false",
    PORTVAKT_LOGIN_AUTO_LOGIN: "true",
    PORTVAKT_LOGIN_PROVIDER: "idporten",
    IDPORTEN_CLIENT_ID: "bench",
    IDPORTEN_CLIENT_JWK: JSON.stringify(own.privateJwk),
    IDPORTEN_WELL_KNOWN_URL: `${standins.issuers.idporten}/.well-known/openid-configuration`,
  });
  return {
    ingress,
    nginx,
    upstreamPort,
    proxy: stack.use(proxy),
    generator: stack.use(await startGenerator()),
  };
}

/** What the proxies add to a call of the application at 1,000 requests/s. */
async function addedLatency(
  { generator, upstreamPort, nginx }: Stage,
  load: (to: number) => () => Load,
  port: number,
): Promise<readonly Figure[]> {
  const subjects = [
    { name: "direct", load: load(upstreamPort) },
    { name: "nginx", load: load(nginx.port) },
    { name: "login proxy", load: load(port) },
  ];
  // The application shares the generator's core.
  const [direct, plain, ours] = await latenciesAt(generator, steadyRate, subjects, { sleeps: true });
  const added = (through: Latency | undefined, key: keyof Latency): number =>
    (through?.[key] ?? Number.NaN) - (direct?.[key] ?? Number.NaN);
  return (["p50", "p99"] as const).map((key) => ({
    name: `added latency at ${steadyRate} requests/s, ${key}${key === "p99" ? ", target: under 1 ms" : ""} (beside: nginx)`,
    ours: added(ours, key),
    beside: added(plain, key),
    unit: "ms",
  }));
}

/** Anonymous memory while requests go through, in twentieths of them; each is told when it is done. */
async function memoryCurve(
  { generator, proxy }: Stage,
  load: () => Load,
  requests: number,
): Promise<readonly number[]> {
  const curve = [megabytesOf(proxy.pid)];
  for (let part = 0; part < 20; part++) {
    await generator.run({ ...load(), count: Math.ceil(requests / 20) });
    const now = megabytesOf(proxy.pid);
    curve.push(now);
    const done = Math.ceil((requests * (part + 1)) / 20);
    process.stderr.write(`${done} of ${requests} requests: ${now.toFixed(1)} MB\n`);
  }
  return curve;
}

/** `--requests N`, 200,000 when not given. *Throws* RangeError for what is no number. */
function requestsIn(args: readonly string[]): number {
  const { values } = parseArgs({ args: [...args], options: { requests: { type: "string" } } });
  const requests = Number((values.requests ?? "200000").replaceAll("_", ""));
  if (!Number.isInteger(requests) || requests < 20)
    throw new RangeError("--requests wants a whole number from 20 up");
  return requests;
}

function memoryFigures(curve: readonly number[]): readonly Figure[] {
  const [early, late] = [median(curve.slice(3, 8)), median(curve.slice(-5))];
  return [
    { name: "memory before the first request", ours: curve[0] ?? Number.NaN, unit: "MB" },
    { name: "memory, third to seventh twentieth of the requests", ours: early, unit: "MB" },
    { name: "memory, last five twentieths", ours: late, unit: "MB" },
  ];
}

/** Proxied requests per second of one core, session read and token attached, beside nginx on the same core. */
export async function benchLogin(args: readonly string[]): Promise<Report> {
  reserveCores();
  const requests = requestsIn(args);
  await using stack = new AsyncDisposableStack();
  const stage = await setUp(stack);
  const { ingress, nginx, proxy, generator } = stage;
  const { host, port } = new URL(ingress);
  const headers = { host, accept: "text/html", "user-agent": "bench", "sec-fetch-site": "same-origin" };
  const request = requestText("/some/page?x=1", { ...headers, cookie: await signIn(ingress, "kari") });
  const load = (to: number) => (): Load => ({
    port: to,
    connections: 32,
    requests: [request],
    count: perRound,
  });
  const measured = await measure(generator, [
    { name: "nginx, plain proxy, one worker", pids: nginx.pids, load: load(nginx.port) },
    { name: "login proxy, live session", pids: [proxy.pid], load: load(Number(port)) },
  ]);
  const added = await addedLatency(stage, load, Number(port));
  const curve = await memoryCurve(stage, load(Number(port)), requests);
  const [plain = Number.NaN, ours = Number.NaN] = measured.map(({ perCpuSecond }) => perCpuSecond);
  const beside = { name: "nginx, plain proxy, one worker", value: plain };
  return {
    title: "Login proxy: 32 connections, 1 kB answers, session in memory, token attached, one core",
    measured,
    figures: [...added, ...memoryFigures(curve)],
    notes: [
      `Anonymous memory in MB over ${requests} requests, after each twentieth: ${curve.map((size) => size.toFixed(0)).join(" ")}`,
    ],
    results: [compare("login", ours, beside, 0.6, "requests per CPU second")],
  };
}
