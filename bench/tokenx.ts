// Token exchanges beside what OpenSSL needs for the same signatures.
import { randomBytes } from "node:crypto";
import { clientAssertionType, grantTypes, tokenTypes } from "@portvakt/oauth";
import { startStandins } from "@portvakt/standins";
import type { Standins } from "@portvakt/standins";
import { createIdentity, freshClaims, now } from "./identities.ts";
import type { Identity } from "./identities.ts";
import { requestText } from "./rig/load.ts";
import type { Load } from "./rig/load.ts";
import { measure } from "./rig/measure.ts";
import type { Subject } from "./rig/measure.ts";
import { rsaCosts } from "./peers/openssl.ts";
import { checkMachine, startGenerator, startPortvakt } from "./rig/processes.ts";
import { compare } from "./rig/report.ts";
import type { Report } from "./rig/report.ts";

const actor = "local:bench:portal";
const target = "local:bench:api";
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

/** A citizen's token from the stand-in for ID-porten, whose client the actor is. */
function citizenToken(standins: Standins): Promise<string> {
  standins.register({
    idporten: { clients: [{ client_id: citizenClient, token_endpoint_auth_method: "none" }] },
  });
  return standins.issue({ provider: "idporten", persona: "kari", client_id: citizenClient, expiresIn: 3600 });
}

/** One round's exchanges: each with an assertion of its own, since a `jti` is taken once. */
async function exchanges(issuer: string, portal: Identity, subjectToken: string): Promise<Load> {
  const one = async (): Promise<string> => {
    const assertion = await portal.signer.sign({ iss: actor, sub: actor, aud: issuer, ...freshClaims(110) });
    const form = new URLSearchParams({
      grant_type: grantTypes.tokenExchange,
      client_assertion_type: clientAssertionType,
      client_assertion: assertion,
      subject_token_type: tokenTypes.jwt,
      subject_token: subjectToken,
      audience: target,
    });
    return requestText("/token", { "content-type": "application/x-www-form-urlencoded" }, form.toString());
  };
  const requests: string[] = [];
  while (requests.length < perRound) requests.push(...(await Promise.all(Array.from({ length: 50 }, one))));
  return { port: Number(new URL(issuer).port), connections: 16, requests, count: perRound };
}

interface Stage {
  readonly standins: Standins;
  readonly registrar: Identity;
  readonly portal: Identity;
  readonly api: Identity;
  readonly subjectToken: string;
}

async function setUp(stack: AsyncDisposableStack): Promise<Stage> {
  const standins = stack.use(await startStandins({ now }));
  const [registrar, portal, api] = [await createIdentity(), await createIdentity(), await createIdentity()];
  return { standins, registrar, portal, api, subjectToken: await citizenToken(standins) };
}

/** A TokenX with both applications registered, as a subject. Storage is embedded and in memory unless `env` says otherwise. */
async function startTokenx(
  stack: AsyncDisposableStack,
  stage: Stage,
  name: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Subject> {
  const { standins, registrar, portal, api, subjectToken } = stage;
  const { idporten } = standins.issuers;
  const started = await startPortvakt("tokenx", {
    PORTVAKT_TOKENX_BIND_ADDRESS: "127.0.0.1:0",
    PORTVAKT_TOKENX_DATA_DIRECTORY: "memory",
    PORTVAKT_TOKENX_SUBJECT_ISSUERS: `${idporten}/.well-known/openid-configuration`,
    PORTVAKT_TOKENX_REGISTRAR_ID: "bench-registrar",
    PORTVAKT_TOKENX_REGISTRAR_JWKS: JSON.stringify({ keys: [registrar.publicJwk] }),
    // The load is one client's; the limit per client is not what is measured.
    PORTVAKT_TOKENX_RATE_PER_SECOND: "1000000",
    PORTVAKT_TOKENX_RATE_BURST: "1000000",
    ...env,
  });
  const { pid, addresses } = stack.use(started);
  const issuer = addresses["tokenx"] ?? "";
  await register({ issuer, identity: registrar }, actor, portal, [], idporten);
  await register({ issuer, identity: registrar }, target, api, [actor], idporten);
  return { name, pids: [pid], load: () => exchanges(issuer, portal, subjectToken) };
}

/** A server on PostgreSQL, where PORTVAKT_BENCH_POSTGRES_URL names an empty database. Its own CPU time is not counted. */
async function onPostgres(stack: AsyncDisposableStack, stage: Stage): Promise<readonly Subject[]> {
  const url = process.env["PORTVAKT_BENCH_POSTGRES_URL"];
  if (url === undefined || url === "") return [];
  const key = randomBytes(32).toString("base64");
  const env = { PORTVAKT_TOKENX_DATABASE_URL: url, PORTVAKT_TOKENX_SEAL_KEYS: key };
  return [await startTokenx(stack, stage, "TokenX, RS256, replays shared in PostgreSQL", env)];
}

/** Exchanges per second of one core, beside the limit that verify + verify + sign sets. */
export async function benchTokenx(): Promise<Report> {
  checkMachine();
  await using stack = new AsyncDisposableStack();
  const stage = await setUp(stack);
  const subjects = [
    await startTokenx(stack, stage, "TokenX, RS256"),
    await startTokenx(stack, stage, "TokenX, issues with ES256", {
      PORTVAKT_TOKENX_SIGNING_ALGORITHMS: "ES256",
    }),
    ...(await onPostgres(stack, stage)),
  ];
  const generator = stack.use(await startGenerator());
  const before = rsaCosts(1);
  const measured = await measure(generator, subjects);
  const after = rsaCosts(1);
  const sign = (before.sign + after.sign) / 2;
  const verify = (before.verify + after.verify) / 2;
  const limit = { name: "openssl, 2 verify + 1 sign", value: 1 / (sign + 2 * verify) };
  const ours = measured[0]?.perCpuSecond ?? Number.NaN;
  return {
    title: `TokenX: ${perRound} exchanges a round, 16 connections, one client, one core`,
    measured,
    notes: [
      `openssl speed rsa2048: sign ${(sign * 1e6).toFixed(0)} µs, verify ${(verify * 1e6).toFixed(0)} µs of CPU. The target says: CPU time per exchange at most 1.25 times that of verify + verify + sign.`,
      ...(measured.length > 2
        ? []
        : [
            "Set PORTVAKT_BENCH_POSTGRES_URL to an empty database to see what sharing replays in PostgreSQL adds.",
          ]),
    ],
    results: [compare("tokenx", ours, limit, 0.8, "exchanges per CPU second")],
  };
}
