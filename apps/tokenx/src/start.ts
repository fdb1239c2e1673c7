import { clientAuthenticator, rotatingSigningKeys, throttle, tokenEndpoint } from "@portvakt/issuer";
import type { RotatingSigningKeys } from "@portvakt/issuer";
import type { SignatureAlgorithm } from "@portvakt/oauth";
import { decide } from "@portvakt/policy";
import type { Decision } from "@portvakt/policy";
import type { SettingsOf } from "@portvakt/runtime/config";
import { serve } from "@portvakt/runtime/http";
import type { Readiness, Running, Tools } from "@portvakt/runtime/process";
import type { KeyRing } from "@portvakt/runtime/seal";
import type { SqlDatabase } from "@portvakt/runtime/store";
import { createApp } from "./app.ts";
import { createAudit } from "./audit.ts";
import type { Audit } from "./audit.ts";
import { writeCompatError } from "./compat-errors.ts";
import { tokenExchange } from "./grants/token-exchange.ts";
import { repeatedly } from "./repeatedly.ts";
import { openDatabase } from "./registry/database.ts";
import { createRegistry, registryChannel } from "./registry/registry.ts";
import type { Registry } from "./registry/registry.ts";
import type { Application } from "./registry/registration.ts";
import type { TokenxTables } from "./registry/schema.ts";
import { signingKeyStore } from "./registry/signing-key-store.ts";
import { usedOnce } from "./registry/used-once.ts";
import type { UsedOnce } from "./registry/used-once.ts";
import { registrationEndpoint } from "./registration/endpoint.ts";
import type { RegistrationEndpoint } from "./registration/endpoint.ts";
import { registrarJudge } from "./registration/registrars.ts";
import type { RegistrarRules } from "./registration/registrars.ts";
import { statementJudge } from "./registration/statement.ts";
import type { settings as schema } from "./settings.ts";
import type { IssuerRules } from "./subject/claims.ts";
import { subjectJudge } from "./subject/judge.ts";
import { trustedIssuers } from "./trusted-issuers.ts";
import type { TrustedIssuers } from "./trusted-issuers.ts";

type Settings = SettingsOf<typeof schema>;

/** Everything that lives as long as the process. */
interface State {
  readonly settings: Settings;
  readonly tools: Tools;
  readonly db: SqlDatabase<TokenxTables>;
  readonly registry: Registry;
  readonly keys: RotatingSigningKeys;
  readonly used: UsedOnce;
  readonly subjects: TrustedIssuers<IssuerRules>;
  readonly registrars: TrustedIssuers<RegistrarRules>;
  readonly audit: Audit;
}

/** Everything that a request may need. */
interface Parts extends State {
  readonly issuer: string;
}

const keysChannel = "tokenx_keys";
/** Verifiers are told that they may cache the key set this long; superseded keys stay that much longer. */
const keySetCacheSeconds = 3_600;
const assertionAlgorithms: readonly SignatureAlgorithm[] = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

/** Starts TokenX: database, registry and keys first, then the listener. An issuer of subject tokens may be down. */
export async function start(settings: Settings, tools: Tools): Promise<Running> {
  const { db, ring } = await openDatabase(settings, tools.log);
  const closing: (() => Promise<void>)[] = [() => db.close()];
  const close = async (): Promise<void> => {
    for (const end of closing.toReversed()) await end();
  };
  try {
    const state = createState(settings, tools, db, ring);
    const { keys, registry, used, subjects, registrars } = state;
    await Promise.all([
      keys.refresh(),
      registry.refresh(),
      used.load(),
      subjects.refresh(),
      registrars.refresh(),
    ]);
    let handle: (request: Request) => Response | Promise<Response> = () =>
      new Response(null, { status: 503 });
    const address = settings.port === undefined ? settings.bindAddress : { host: "::", port: settings.port };
    closing.push(await keepFresh(state));
    const server = await serve({ fetch: (request) => handle(request), address, log: tools.log });
    closing.push(() => server.close({ graceSeconds: settings.shutdownGraceSeconds }));
    // Only the listener knows its port, which may be part of the issuer identifier.
    handle = createHandler({ ...state, issuer: settings.issuer ?? server.url });
    return { addresses: { tokenx: server.url }, ready: () => readinessOf(state), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function createState(settings: Settings, tools: Tools, db: SqlDatabase<TokenxTables>, ring: KeyRing): State {
  const { now, log } = tools;
  const { signingAlgorithms } = settings;
  return {
    settings,
    tools,
    db,
    keys: rotatingSigningKeys({
      store: signingKeyStore(db, ring),
      now,
      algorithms: [signingAlgorithms[0] ?? "RS256", ...signingAlgorithms.slice(1)],
      periodSeconds: settings.keyPeriodSeconds,
      aheadSeconds: settings.keyAheadSeconds,
      keepSeconds: settings.tokenLifetimeSeconds + keySetCacheSeconds,
    }),
    registry: createRegistry({ db, now, log }),
    used: usedOnce({ db, now, log, graceSeconds: settings.outageGraceSeconds }),
    subjects: trustedIssuers({ issuers: subjectIssuersOf(settings), now, log }),
    registrars: trustedIssuers({ issuers: registrarsOf(settings), now, log }),
    audit: createAudit(tools),
  };
}

function createHandler(parts: Parts): (request: Request) => Response | Promise<Response> {
  const { issuer, keys, tools } = parts;
  return createApp({
    issuer,
    keys,
    assertionAlgorithms,
    token: createTokenEndpoint(parts),
    registration: createRegistration(parts),
    ready: () => readinessOf(parts),
    metrics: tools.metrics,
    log: tools.log,
  });
}

function createTokenEndpoint(parts: Parts): (request: Request) => Promise<Response> {
  const { settings, registry, keys, audit, issuer } = parts;
  const { now } = parts.tools;
  const admit = throttle({ perSecond: settings.ratePerSecond, burst: settings.rateBurst });
  const judgeSubject = subjectJudge({
    issuer,
    ownKeys: keys.keySet,
    issuers: parts.subjects,
    audience: settings.subjectAudience,
    onUntied: audit.untied,
    now,
  });
  return tokenEndpoint<Application, Decision>({
    now,
    authenticate: clientAuthenticator({
      findClient: (id, { fresh }) => findClient(parts, id, fresh),
      acceptedAudiences: settings.compatClients ? [issuer, `${issuer}/token`] : [issuer],
      acceptAudienceArray: settings.compatClients,
      claimJti: parts.used.claim,
      now,
      algorithms: assertionAlgorithms,
    }),
    grants: [
      tokenExchange({
        issuer,
        keys,
        judgeSubject,
        lifetimeSeconds: settings.tokenLifetimeSeconds,
        findTarget: (id) => registry.get(id),
        onIssued: audit.issued,
      }),
    ],
    decide: (question) => decide(registry.policy, question),
    audit: audit.token,
    admit: (client, at) => admit(client.id, at),
    ...(settings.compatErrors && { writeError: writeCompatError }),
  });
}

/** What is in memory; past it, for one that may just have been registered elsewhere. A database that is down changes nothing. */
async function findClient(
  { registry, tools }: Parts,
  id: string,
  fresh: boolean,
): Promise<Application | undefined> {
  if (fresh)
    await registry
      .refresh()
      .catch((err: unknown) => tools.log.warn({ err }, "the registry could not be read afresh"));
  return registry.get(id);
}

function createRegistration(parts: Parts): RegistrationEndpoint {
  const { settings, issuer, registry, audit } = parts;
  const { now } = parts.tools;
  const jwks = settings.registrarJwks?.keys ?? [];
  const statementIssuer = settings.registrarId ?? "";
  const hasProviders = registrarsOf(settings).length > 0;
  return registrationEndpoint({
    registry,
    judgeRegistrar: registrarJudge({
      selfSigned:
        hasProviders || settings.registrarId === undefined
          ? undefined
          : { issuer: settings.registrarId, jwks },
      providers: parts.registrars,
      audiences: settings.registrarAudience ?? [issuer, `${issuer}/registration/client`],
      maxLifetimeSeconds: settings.compatClients ? Number.POSITIVE_INFINITY : 3_600,
      now,
    }),
    judgeStatement: statementJudge({
      issuer: statementIssuer,
      jwks,
      signingAlgorithms: settings.signingAlgorithms,
      acceptUndated: settings.compatClients,
      claimJti: parts.used.claim,
      now,
    }),
    onChange: audit.registration,
  });
}

/** Keeps memory in step with the database: by notices, and by asking now and then. */
async function keepFresh({
  settings,
  tools,
  db,
  registry,
  keys,
  used,
  subjects,
  registrars,
}: State): Promise<() => Promise<void>> {
  const { log } = tools;
  const quietly = (what: string, work: () => Promise<void>) => (): Promise<void> =>
    work().catch((err: unknown) => log.warn({ err }, `${what} could not be brought up to date`));
  const refreshRegistry = quietly("the registry", () => registry.refresh());
  const refreshKeys = quietly("the signing keys", () => keys.refresh());
  const unlisten = await Promise.all([
    db.listen(registryChannel, () => void refreshRegistry()),
    db.listen(keysChannel, () => void refreshKeys()),
  ]);
  const stops = [
    repeatedly(settings.pollSeconds, refreshRegistry),
    repeatedly(settings.pollSeconds, refreshKeys),
    repeatedly(
      60,
      quietly("the replay memory", () => used.sweep()),
    ),
    repeatedly(30, () => subjects.refresh()),
    repeatedly(30, () => registrars.refresh()),
  ];
  return async () => {
    await Promise.all([...stops.map((stop) => stop()), ...unlisten.map((stop) => stop())]);
  };
}

async function readinessOf({ db, keys, subjects }: State): Promise<Readiness> {
  const database = await db.ping().then(
    () => ({ ok: true }),
    () => ({ ok: false, detail: "the database does not answer" }),
  );
  const signing = keys.ready ? { ok: true } : { ok: false, detail: "there is no signing key" };
  const issuers = Object.entries(subjects.state()).map(([url, ok]) => [url, { ok }] as const);
  return {
    ready: database.ok && signing.ok,
    checks: { database, signing_keys: signing, ...Object.fromEntries(issuers) },
  };
}

function subjectIssuersOf(settings: Settings): { url: string; rules: IssuerRules }[] {
  return settings.subjectIssuers.map((url) => {
    const { audiences = [], claims } = settings.subjectRules[url] ?? {};
    return {
      url,
      rules: { audiences, mappings: settings.subjectMappings[url] ?? {}, ...(claims && { claims }) },
    };
  });
}

function registrarsOf(settings: Settings): { url: string; rules: RegistrarRules }[] {
  const { registrarProviders = [], registrarWellKnownUrl } = settings;
  if (registrarProviders.length > 0)
    return registrarProviders.map(({ wellKnownUrl, ...rules }) => ({ url: wellKnownUrl, rules }));
  return registrarWellKnownUrl === undefined ? [] : [{ url: registrarWellKnownUrl, rules: {} }];
}
