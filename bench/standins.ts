// Sign-ins and test tokens of the stand-ins beside the certified `oidc-provider`; how soon they start, and what memory they take.
import { fileURLToPath } from "node:url";
import { browse, send } from "@portvakt/chaos/rig";
import { createPkce } from "@portvakt/oauth";
import { startStandins } from "@portvakt/standins";
import { now } from "./identities.ts";
import { requestText } from "./rig/load.ts";
import { measure } from "./rig/measure.ts";
import {
  reserveCores,
  cores,
  cpuSeconds,
  megabytesOf,
  startGenerator,
  startNode,
  startPortvakt,
} from "./rig/processes.ts";
import type { Started } from "./rig/processes.ts";
import { compare, median, quantile } from "./rig/report.ts";
import type { Figure, Measured, Report } from "./rig/report.ts";

const redirectUri = "https://app.example/callback";
const [clientId, clientSecret] = ["bench", "bench-secret"];
const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`;
const form = { "content-type": "application/x-www-form-urlencoded" };
const [rounds, perRound, atOnce] = [5, 200, 8];

interface SignIns {
  readonly name: string;
  readonly started: Started;
  readonly origin: string;
  /** Paths of the two endpoints. */
  readonly authorize: string;
  readonly token: string;
}

const pidOf = ({ started }: SignIns): number => started.pid;

/** One sign-in as a browser and a client do it: authorize -> (redirects) -> code -> token. Gives its milliseconds. */
async function signIn({ origin, authorize, token }: SignIns): Promise<number> {
  const began = performance.now();
  const { verifier, challenge } = await createPkce();
  const start = new URL(authorize, origin);
  start.search = new URLSearchParams({
    client_id: clientId,
    response_type: "code",
    redirect_uri: redirectUri,
    scope: "openid profile",
    state: "state-of-the-bench",
    nonce: "nonce-of-the-bench",
    code_challenge: challenge,
    code_challenge_method: "S256",
    login_hint: "kari",
  }).toString();
  const { location } = await browse(start, (host) => Number(new URL(`http://${host}`).port), redirectUri);
  const code = location?.searchParams.get("code");
  if (code === undefined || code === null) throw new Error(`signing in ended at ${String(location?.href)}`);
  const body = new URLSearchParams({
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    code_verifier: verifier,
  });
  const { port, host } = new URL(origin);
  const headers = { ...form, authorization: basic, host };
  const answer = await send({
    port: Number(port),
    path: token,
    method: "POST",
    headers,
    body: body.toString(),
  });
  if (answer.status !== 200) throw new Error(`the token endpoint answered ${answer.status}: ${answer.body}`);
  return performance.now() - began;
}

async function signInRound(subject: SignIns): Promise<Omit<Measured, "name">> {
  const [cpu, began] = [cpuSeconds(pidOf(subject)), performance.now()];
  const latencies: number[] = [];
  const work = async (): Promise<void> => {
    while (latencies.length < perRound) latencies.push(await signIn(subject));
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return {
    perCpuSecond: latencies.length / (cpuSeconds(pidOf(subject)) - cpu),
    perSecond: (latencies.length * 1000) / (performance.now() - began),
    p50: quantile(latencies, 0.5),
    p99: quantile(latencies, 0.99),
  };
}

/** Alternating rounds after one to warm up; medians. */
async function signIns(subjects: readonly SignIns[]): Promise<readonly Measured[]> {
  const done = subjects.map((): Omit<Measured, "name">[] => []);
  for (let round = 0; round <= rounds; round++)
    for (const [index, subject] of subjects.entries()) {
      const result = await signInRound(subject);
      if (round > 0) done[index]?.push(result);
    }
  return subjects.map(({ name }, index) => {
    const all = done[index] ?? [];
    const middle = (key: keyof Omit<Measured, "name">): number => median(all.map((one) => one[key]));
    return {
      name,
      perCpuSecond: middle("perCpuSecond"),
      perSecond: middle("perSecond"),
      p50: middle("p50"),
      p99: middle("p99"),
    };
  });
}

const startOurs = (): Promise<Started> =>
  startPortvakt("standins", {
    PORTVAKT_STANDINS_IDPORTEN_ADDRESS: "127.0.0.1:0",
    PORTVAKT_STANDINS_ENTRA_ADDRESS: "127.0.0.1:0",
    PORTVAKT_STANDINS_MASKINPORTEN_ADDRESS: "127.0.0.1:0",
    PORTVAKT_STANDINS_OPENID_ADDRESS: "127.0.0.1:0",
    PORTVAKT_STANDINS_CONTROL_ADDRESS: "127.0.0.1:0",
  });

function startPeer(): Promise<Started> {
  const program = fileURLToPath(new URL("peers/oidc-provider.ts", import.meta.url));
  return startNode({ core: cores.server, args: [program] });
}

/** Milliseconds from nothing to listening, the median of several starts, and the anonymous memory then. */
async function starting(start: () => Promise<Started>): Promise<{ ms: number; megabytes: number }> {
  const [times, sizes]: [number[], number[]] = [[], []];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    await using started = await start();
    times.push(performance.now() - began);
    sizes.push(megabytesOf(started.pid));
  }
  return { ms: median(times), megabytes: median(sizes) };
}

/** The test kit inside a test's own process: from the call to standing stand-ins. */
async function startingInProcess(): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const began = performance.now();
    await using standins = await startStandins({ now });
    times.push(performance.now() - began);
    standins.requests();
  }
  return median(times);
}

async function startUp(): Promise<readonly Figure[]> {
  const [ours, peer] = [await starting(startOurs), await starting(startPeer)];
  return [
    { name: "process, start to listening", ours: ours.ms, beside: peer.ms, unit: "ms" },
    { name: "memory at start", ours: ours.megabytes, beside: peer.megabytes, unit: "MB" },
    { name: "in a test's process, start to standing", ours: await startingInProcess(), unit: "ms" },
  ];
}

interface Stage {
  readonly ours: Started;
  readonly peer: Started;
  readonly control: URL;
}

/** Both providers, with one client registered at each. */
async function setUp(stack: AsyncDisposableStack): Promise<Stage> {
  const [ours, peer] = [stack.use(await startOurs()), stack.use(await startPeer())];
  const control = new URL(ours.addresses["control"] ?? "");
  const client = { client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] };
  const registered = await fetch(new URL("/registrations", control), {
    method: "PATCH",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ idporten: { clients: [client] } }),
  });
  if (!registered.ok) throw new Error(`registering was answered with ${registered.status}`);
  return { ours, peer, control };
}

const peersUrl = ({ peer }: Stage): string => peer.addresses["main"] ?? "";

function measureSignIns(stage: Stage): Promise<readonly Measured[]> {
  const { ours, peer } = stage;
  const [peers, own] = [peersUrl(stage), ours.addresses["idporten"] ?? ""];
  return signIns([
    { name: "oidc-provider, sign-in", started: peer, origin: peers, authorize: "/auth", token: "/token" },
    { name: "stand-ins, sign-in", started: ours, origin: own, authorize: "/authorize", token: "/token" },
  ]);
}

/** Tokens without any user: the control API's, and the peer's by client credentials. */
async function measureTokens(stage: Stage): Promise<readonly Measured[]> {
  await using generator = await startGenerator();
  const order = { provider: "idporten", persona: "kari", client_id: clientId };
  const own = requestText("/tokens", { "content-type": "application/json" }, JSON.stringify(order));
  const peers = requestText("/token", { ...form, authorization: basic }, "grant_type=client_credentials");
  const load = (url: string, request: string) => () => ({
    port: Number(new URL(url).port),
    connections: 8,
    requests: [request],
    count: 1000,
  });
  return await measure(generator, [
    { name: "oidc-provider, client credentials", pids: [stage.peer.pid], load: load(peersUrl(stage), peers) },
    { name: "stand-ins, token for a test", pids: [stage.ours.pid], load: load(stage.control.href, own) },
  ]);
}

/** Sign-ins with login_hint and tokens for tests, each beside the peer's way to the same. */
export async function benchStandins(): Promise<Report> {
  reserveCores();
  const figures = [...(await startUp())];
  await using stack = new AsyncDisposableStack();
  const stage = await setUp(stack);
  const measured = [...(await measureSignIns(stage)), ...(await measureTokens(stage))];
  const [ours, beside] = [megabytesOf(stage.ours.pid), megabytesOf(stage.peer.pid)];
  figures.push({ name: "memory after the load", ours, beside, unit: "MB" });
  const rates = measured.map(({ perCpuSecond }) => perCpuSecond);
  const [peerSignIns = Number.NaN, signIns = Number.NaN, peerTokens = Number.NaN, tokens = Number.NaN] =
    rates;
  const [whole, credentials] = ["oidc-provider", "oidc-provider, client credentials"];
  const unit = "per CPU second";
  return {
    title: `Stand-ins beside oidc-provider: sign-ins with login_hint (${atOnce} at once), tokens for tests (8 connections); RS256, one core`,
    measured,
    figures,
    notes: [
      "oidc-provider signs in by way of an interaction, which is two redirects more; it ships no way to do without.",
    ],
    results: [
      compare("standins", signIns, { name: whole, value: peerSignIns }, 1, unit),
      compare("standins, tokens", tokens, { name: credentials, value: peerTokens }, 1, unit),
    ],
  };
}
