// Token exchanges beside what OpenSSL needs for the same signatures.
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startPostgres } from "@portvakt/chaos/rig";
import { clientAssertionType, grantTypes, tokenTypes } from "@portvakt/oauth";
import { startStandins } from "@portvakt/standins";
import type { Standins } from "@portvakt/standins";
import { createIdentity, freshClaims, now } from "./identities.ts";
import type { Identity } from "./identities.ts";
import { requestText } from "./rig/load.ts";
import type { Load } from "./rig/load.ts";
import { latenciesAt } from "./rig/latency.ts";
import { measure } from "./rig/measure.ts";
import type { Subject } from "./rig/measure.ts";
import { bestOf, rsaCosts } from "./peers/openssl.ts";
import { reserveCores, cores, startGenerator, startNode, startPortvakt } from "./rig/processes.ts";
import type { Generator } from "./rig/processes.ts";
import { compare, median } from "./rig/report.ts";
import type { Figure, Measured, Report, Result } from "./rig/report.ts";
import { benchCrowd, flooded } from "./tokenx-crowd.ts";
import type { CrowdParts } from "./tokenx-crowd.ts";

const actor = "local:bench:portal";
const target = "local:bench:api";
/** Calls the target too, without measure. */
const flooder = "local:bench:flooder";
const citizenClient = "bench-portal";
const perRound = 3000;

interface Registrar {
  readonly issuer: string;
  readonly identity: Identity;
}

/** Registers an application as a platform's registrar does (RFC 7591 with a software statement). */
async function register(
  registrar: Registrar,
  id: string,
  application: Identity,
  inbound: readonly string[],
  idporten: string,
): Promise<void> {
  const { issuer, identity } = registrar;
  const sign = (claims: Record<string, unknown>): Promise<string> =>
    identity.signer.sign({
      iss: "bench-registrar",
      sub: "bench-registrar",
      aud: issuer,
      ...freshClaims(60),
      ...claims,
    });
  const statement = {
    appId: id,
    accessPolicyInbound: inbound,
    accessPolicyOutbound: [],
    portvakt_subject_clients: { [idporten]: [citizenClient] },
  };
  const response = await fetch(`${issuer}/registration/client`, {
    method: "POST",
    headers: { authorization: `Bearer ${await sign({})}`, "content-type": "application/json" },
    body: JSON.stringify({
      client_name: id,
      jwks: { keys: [application.publicJwk] },
      software_statement: await sign(statement),
      scopes: [],
      grant_types: [grantTypes.tokenExchange],
    }),
  });
  if (!response.ok)
    throw new Error(`TokenX refused to register ${id}: ${response.status} ${await response.text()}`);
}

/** Citizens' tokens from the stand-in for ID-porten, whose client the actor is: each is another, so that none is known already. */
function citizens(standins: Standins): () => Promise<string> {
  standins.register({
    idporten: { clients: [{ client_id: citizenClient, token_endpoint_auth_method: "none" }] },
  });
  return () =>
    standins.issue({ provider: "idporten", persona: "kari", client_id: citizenClient, expiresIn: 3600 });
}

/** Exchanges by `by`, each with an assertion of its own, since a `jti` is taken once. */
async function exchanges(
  issuer: string,
  portal: Identity,
  subjectToken: () => Promise<string>,
  { count = perRound, by = actor }: { count?: number; by?: string } = {},
): Promise<Load> {
  const one = async (): Promise<string> => {
    const assertion = await portal.signer.sign({ iss: by, sub: by, aud: issuer, ...freshClaims(110) });
    const form = new URLSearchParams({
      grant_type: grantTypes.tokenExchange,
      client_assertion_type: clientAssertionType,
      client_assertion: assertion,
      subject_token_type: tokenTypes.jwt,
      subject_token: await subjectToken(),
      audience: target,
    });
    return requestText("/token", { "content-type": "application/x-www-form-urlencoded" }, form.toString());
  };
  const requests: string[] = [];
  while (requests.length < count) requests.push(...(await Promise.all(Array.from({ length: 50 }, one))));
  return { port: Number(new URL(issuer).port), connections: 16, requests, count };
}

/** As docs/kubernetes/tokenx.yaml has it: on one core, V8's own threads are in the way of requests. */
const oneCore = { NODE_OPTIONS: "--v8-pool-size=1" };

interface Stage {
  readonly standins: Standins;
  readonly registrar: Identity;
  readonly portal: Identity;
  readonly api: Identity;
  readonly subjectToken: () => Promise<string>;
}

async function setUp(stack: AsyncDisposableStack): Promise<Stage> {
  const standins = stack.use(await startStandins({ now }));
  const [registrar, portal, api] = [await createIdentity(), await createIdentity(), await createIdentity()];
  return { standins, registrar, portal, api, subjectToken: citizens(standins) };
}

function environment({ standins, registrar }: Stage): Readonly<Record<string, string>> {
  return {
    PORTVAKT_TOKENX_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENX_SUBJECT_ISSUERS: `${standins.issuers.idporten}/.well-known/openid-configuration`,
    PORTVAKT_TOKENX_REGISTRAR_ID: "bench-registrar",
    PORTVAKT_TOKENX_REGISTRAR_JWKS: JSON.stringify({ keys: [registrar.publicJwk] }),
    ...oneCore,
    // The load is one client's; the limit per client is not what is measured.
    PORTVAKT_TOKENX_RATE_PER_SECOND: "1000000",
    PORTVAKT_TOKENX_RATE_BURST: "1000000",
  };
}

/** The two applications of the exchange; the target also admits one that floods. */
async function registerPair({ standins, registrar, portal, api }: Stage, issuer: string): Promise<void> {
  const { idporten } = standins.issuers;
  const by = { issuer, identity: registrar };
  await register(by, actor, portal, [], idporten);
  await register(by, flooder, portal, [], idporten);
  await register(by, target, api, [actor, flooder], idporten);
}

/** A folder that is there as long as the stack. */
async function newFolder(stack: AsyncDisposableStack): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "portvakt-bench-tokenx-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A TokenX with both applications registered, as a subject. Storage is embedded, in a folder of its own, unless `env` says otherwise. */
async function startTokenx(
  stack: AsyncDisposableStack,
  stage: Stage,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Subject & { readonly issuer: string }> {
  const { portal, subjectToken } = stage;
  const own = { ...environment(stage), PORTVAKT_TOKENX_DATA_DIRECTORY: await newFolder(stack) };
  const { pid, addresses } = stack.use(await startPortvakt("tokenx", { ...own, ...env }));
  const issuer = addresses["tokenx"] ?? "";
  await registerPair(stage, issuer);
  return { name, pids: [pid], issuer, load: () => exchanges(issuer, portal, subjectToken) };
}

/** A bare handler with the same signatures, which takes the same requests and reads none. */
async function startPlain(stack: AsyncDisposableStack, stage: Stage): Promise<Subject> {
  const program = fileURLToPath(new URL("peers/plain-signing.ts", import.meta.url));
  const { pid, addresses } = stack.use(await startNode({ core: cores.server, args: [program] }));
  const load = await exchanges(addresses["main"] ?? "", stage.portal, stage.subjectToken);
  return { name: "bare node:http, the same signatures", pids: [pid], load: () => load };
}

/**
 * What one core can do. Who issues with ES256 is gone afterwards: collecting its garbage would take the core from whoever is measured
 * next.
 */
async function onOneCore(
  generator: Generator,
  stage: Stage,
  first: Subject,
  plain: Subject,
): Promise<readonly Measured[]> {
  await using stack = new AsyncDisposableStack();
  const es256 = { PORTVAKT_TOKENX_SIGNING_ALGORITHMS: "ES256" };
  const second = await startTokenx(stack, stage, "TokenX, issues with ES256", es256);
  return await measure(generator, [first, second, plain]);
}

/** How long answers take at 70 % of the highest load; of the bare handler, at the same rate. */
async function belowHighest(
  generator: Generator,
  highest: number,
  load: (count: number) => Promise<Load>,
  plain: Subject,
): Promise<{ readonly result: Result; readonly figures: readonly Figure[] }> {
  const rate = Math.max(1, Math.floor(highest * 0.7));
  const seconds = 1;
  const subject = { name: "exchange", load: () => load(Math.round(rate * seconds)) };
  const [ours, bare] = await latenciesAt(generator, rate, [subject, plain], { seconds, rounds: 21 });
  const { p50 = Number.NaN, p99 = Number.NaN } = ours ?? {};
  const beside = { name: `p99; both at ${rate} exchanges/s, 70 % of the highest load`, value: p99 * 1000 };
  return {
    result: compare("tokenx, p50", p50 * 1000, beside, 0.333, "µs"),
    figures: (["p50", "p99"] as const).map((key) => ({
      name: `${key} at ${rate} exchanges/s (beside: bare node:http)`,
      ours: ours?.[key] ?? Number.NaN,
      beside: bare?.[key] ?? Number.NaN,
      unit: "ms",
    })),
  };
}

/** Servers that may use both cores, for what the second one adds; the load has to share it with them. */
async function onBothCores(generator: Generator, stage: Stage): Promise<readonly Measured[]> {
  await using stack = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  for (const algorithm of ["RS256", "ES256"]) {
    const env = {
      ...environment(stage),
      NODE_OPTIONS: "",
      PORTVAKT_TOKENX_SIGNING_ALGORITHMS: algorithm,
      PORTVAKT_TOKENX_DATA_DIRECTORY: await newFolder(stack),
    };
    const { pid, addresses } = stack.use(await startPortvakt("tokenx", env, cores.both));
    const issuer = addresses["tokenx"] ?? "";
    await registerPair(stage, issuer);
    const load = async (): Promise<Load> => ({
      ...(await exchanges(issuer, stage.portal, stage.subjectToken)),
      sleeps: true,
    });
    subjects.push({ name: `TokenX, ${algorithm}, two cores less the load's part`, pids: [pid], load });
  }
  return await measure(generator, subjects, 3);
}

interface Shared {
  readonly measured: readonly Measured[];
  readonly figures: readonly Figure[];
}

/** Three replicas on one PostgreSQL, where every assertion is remembered for all of them. The database's own CPU time is not counted. */
async function onPostgres(generator: Generator, stage: Stage, embedded: Subject): Promise<Shared> {
  await using stack = new AsyncDisposableStack();
  const database = stack.use(await startPostgres());
  const key = randomBytes(32).toString("base64");
  const env = { PORTVAKT_TOKENX_DATABASE_URL: database.url, PORTVAKT_TOKENX_SEAL_KEYS: key };
  const replicas: Subject[] = [];
  for (const nth of [1, 2, 3])
    replicas.push(await startTokenx(stack, stage, `TokenX, RS256, replica ${nth} of 3 on PostgreSQL`, env));
  const [first = embedded] = replicas;
  const [alone, ...measured] = await measure(generator, [embedded, ...replicas], 3);
  const cpu = (one: Measured | undefined): number => 1e6 / (one?.perCpuSecond ?? Number.NaN);
  const rate = 200;
  // The database shares the generator's core.
  const [without, shared] = await latenciesAt(generator, rate, [embedded, first], { sleeps: true });
  return {
    measured,
    figures: [
      {
        name: "CPU of an exchange on PostgreSQL (beside: embedded)",
        ours: median(measured.map(cpu)),
        beside: cpu(alone),
        unit: "µs",
      },
      ...(["p50", "p99"] as const).map((quantile) => ({
        name: `its ${quantile} at ${rate} exchanges/s (beside: embedded)`,
        ours: shared?.[quantile] ?? Number.NaN,
        beside: without?.[quantile] ?? Number.NaN,
        unit: "ms",
      })),
    ],
  };
}

/** What a server of its own, with the usual limit per client, makes of a client that floods. */
async function floodedServer(generator: Generator, stage: Stage): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const usual = { PORTVAKT_TOKENX_RATE_PER_SECOND: "500", PORTVAKT_TOKENX_RATE_BURST: "1000" };
  const { issuer } = await startTokenx(stack, stage, "flooded", usual);
  const { portal, subjectToken } = stage;
  const load = (by: string) => (count: number) => exchanges(issuer, portal, subjectToken, { count, by });
  return await flooded(generator, load(actor), load(flooder));
}

function crowdParts(stage: Stage): CrowdParts {
  const { standins, registrar, portal, api, subjectToken } = stage;
  return {
    env: environment(stage),
    registerPair: (issuer) => registerPair(stage, issuer),
    registerOther: (issuer, index) =>
      register(
        { issuer, identity: registrar },
        `local:bench:other-${index}`,
        api,
        [actor],
        standins.issuers.idporten,
      ),
    exchanges: (issuer, count) => exchanges(issuer, portal, subjectToken, { count }),
  };
}

/** Exchanges per second of one core, beside the limit that verify + verify + sign sets. */
export async function benchTokenx(): Promise<Report> {
  reserveCores();
  await using stack = new AsyncDisposableStack();
  const stage = await setUp(stack);
  const first = await startTokenx(stack, stage, "TokenX, RS256");
  const plain = await startPlain(stack, stage);
  const generator = stack.use(await startGenerator());
  const before = rsaCosts(2);
  const measured = await onOneCore(generator, stage, first, plain);
  const { sign, verify } = bestOf(before, rsaCosts(2));
  const limit = { name: "openssl, 2 verify + 1 sign", value: 1 / (sign + 2 * verify) };
  const { perCpuSecond: ours, perSecond: highest } = measured[0] ?? {
    perCpuSecond: Number.NaN,
    perSecond: 1,
  };
  const load = (count: number): Promise<Load> =>
    exchanges(first.issuer, stage.portal, stage.subjectToken, { count });
  const below = await belowHighest(generator, highest, load, plain);
  const shared = await onPostgres(generator, stage, first);
  const crowd = await benchCrowd(generator, crowdParts(stage));
  const storm = await floodedServer(generator, stage);
  const twice = await onBothCores(generator, stage);
  return {
    title: `TokenX: ${perRound} exchanges a round, 16 connections, one client, one core`,
    measured: [...measured, ...twice, ...shared.measured, ...crowd.measured],
    figures: [...below.figures, ...shared.figures, ...crowd.figures, ...storm],
    notes: [
      `openssl speed rsa2048: sign ${(sign * 1e6).toFixed(0)} µs, verify ${(verify * 1e6).toFixed(0)} µs of CPU. The target says: CPU time per exchange at most 1.25 times that of verify + verify + sign.`,
    ],
    results: [compare("tokenx", ours, limit, 0.8, "exchanges per CPU second"), below.result],
  };
}
