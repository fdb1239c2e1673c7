import {
  clientAuthenticator,
  clientEndpoint,
  judgeClientAssertion,
  pausing,
  throttle,
  tokenEndpoint,
  turns,
} from "@portvakt/issuer";
import type { AuthenticateClient, Throttle } from "@portvakt/issuer";
import { peekJwt } from "@portvakt/oauth";
import type { Clock, SignatureAlgorithm } from "@portvakt/oauth";
import { decide } from "@portvakt/policy";
import type { Decision } from "@portvakt/policy";
import { traced } from "@portvakt/runtime/observe";
import { accessEndpoints } from "./access.ts";
import { createApp } from "./app.ts";
import type { App } from "./app.ts";
import { backChannelLogout } from "./issued/back-channel-logout.ts";
import { writeCompatError } from "./compat-errors.ts";
import { proofJudge } from "./grants/dpop.ts";
import { tokenExchange } from "./grants/token-exchange.ts";
import { introspection, revocation } from "./issued/issued-tokens.ts";
import { registrationEndpoint } from "./registration/endpoint.ts";
import type { RegistrationEndpoint } from "./registration/endpoint.ts";
import { registrarJudge } from "./registration/registrars.ts";
import type { JudgeRegistrar } from "./registration/registrars.ts";
import { statementJudge } from "./registration/statement.ts";
import type { Application } from "./registry/registration.ts";
import { readinessOf, registrarsOf } from "./state.ts";
import type { State } from "./state.ts";
import { spans } from "./observed.ts";
import { subjectJudge } from "./subject/judge.ts";
import { rememberSignatures } from "./subject/known-signatures.ts";
import { orByWorkloadToken } from "./workload-tokens.ts";

/** Everything that a request may need. */
interface Parts extends State {
  readonly issuer: string;
  readonly authenticate: AuthenticateClient<Application>;
  /** Holds back a client that asks too often, over all endpoints together. */
  readonly admit: (client: Application, now: number) => void;
}

const assertionAlgorithms: readonly SignatureAlgorithm[] = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

/** As many as keep the thread pool busy; what waits in the pool itself, or for the next turn of the event loop, waits in no fair order. */
const signaturesAtOnce = 8;

/** Wires the endpoints, and makes one fetch handler of them. */
export function createHandler(state: State, issuer: string): App {
  const { settings, tools, keys, revocations } = state;
  const { now, log, metrics } = tools;
  const bucket = throttle({ perSecond: settings.ratePerSecond, burst: settings.rateBurst });
  const authenticate = heldBack(createAuthenticator(state, issuer), bucket, now);
  const parts: Parts = { ...state, issuer, authenticate, admit: (client, at) => bucket.take(client.id, at) };
  const onFault = (err: unknown): void => log.error({ err }, "request failed");
  const judgeRegistrar = createRegistrarJudge(state, issuer);
  const issued = { issuer, keys: keys.keySet, revocations, now };
  const { admit } = parts;
  const unhurried = pausing();
  return createApp({
    issuer,
    keys,
    assertionAlgorithms,
    token: unhurried(createTokenEndpoint(parts)),
    introspect: unhurried(
      clientEndpoint({ now, authenticate, admit, serve: introspection(issued), onFault }),
    ),
    revoke: unhurried(clientEndpoint({ now, authenticate, admit, serve: revocation(issued), onFault })),
    backChannelLogout: backChannelLogout({ issuers: state.subjects, revocations, now }),
    registration: createRegistration(state, judgeRegistrar),
    access: accessEndpoints({
      policy: state.registry.policy,
      judgeRegistrar,
      findDecision: (id) => state.audit.find(id),
      recentDecisions: () => state.audit.recent(),
      now,
    }),
    ready: () => readinessOf(state),
    metrics,
    log,
  });
}

/**
 * Turns a client away that has asked too often, by the name that it claims and before its signature is looked at: a flood costs
 * little. Only requests that were authenticated take from a bucket, so nobody can empty another's.
 */
function heldBack(
  authenticate: AuthenticateClient<Application>,
  bucket: Throttle,
  now: Clock,
): AuthenticateClient<Application> {
  return (request) => {
    const claimed = peekJwt(request.params.one("client_assertion") ?? "")?.claims.sub;
    if (typeof claimed === "string") bucket.check(claimed, now());
    return traced(spans.authenticate, async (span) => {
      const client = await authenticate(request);
      span.note({ actor: client.id });
      return client;
    });
  };
}

function createAuthenticator(state: State, issuer: string): AuthenticateClient<Application> {
  const { settings, tools, used, clusters } = state;
  const byOwnKey = clientAuthenticator({
    findClient: (id, { fresh }) => (fresh ? findFresh(state, id) : state.registry.get(id)),
    acceptedAudiences: settings.compatClients ? [issuer, `${issuer}/token`] : [issuer],
    acceptAudienceArray: settings.compatClients,
    claimJti: used.claim,
    now: tools.now,
    algorithms: assertionAlgorithms,
  });
  if (settings.workloadIssuers.length === 0) return byOwnKey;
  const findWorkload = async (id: string): Promise<Application | undefined> =>
    state.registry.get(id) ?? (await findFresh(state, id));
  return orByWorkloadToken(byOwnKey, { issuer, clusters, findClient: findWorkload, now: tools.now });
}

/** An actor token is judged as an assertion of the client about itself, and is used up like one. */
async function isActorToken(
  token: string,
  client: Application,
  { issuer, used, tools }: Parts,
): Promise<boolean> {
  const result = await judgeClientAssertion(token, {
    audiences: [issuer],
    algorithms: assertionAlgorithms,
    find: (id) => (id === client.id ? client : undefined),
    keysOf: ({ keys }) => keys,
    claimJti: used.claim,
    now: tools.now,
  });
  return result.ok;
}

function createTokenEndpoint(parts: Parts): (request: Request) => Promise<Response> {
  const { settings, registry, keys, audit, issuer } = parts;
  const { now } = parts.tools;
  const judgeSubject = subjectJudge({
    issuer,
    ownKeys: rememberSignatures(keys.keySet),
    issuers: parts.subjects,
    audience: settings.subjectAudience,
    onUntied: audit.untied,
    isRevoked: (claims) => parts.revocations.isRevoked(claims),
    now,
  });
  return tokenEndpoint<Application, Decision>({
    now,
    authenticate: parts.authenticate,
    grants: [
      tokenExchange({
        issuer,
        keys,
        takeTurns: turns(signaturesAtOnce),
        judgeSubject: (token, client) => traced(spans.judge, () => judgeSubject(token, client)),
        judgeActor: (token, client) => isActorToken(token, client, parts),
        judgeProof: proofJudge({ url: `${issuer}/token`, claimJti: parts.used.claim, now }),
        lifetimeSeconds: settings.tokenLifetimeSeconds,
        findTarget: (id) => registry.get(id),
        onIssued: audit.issued,
      }),
    ],
    decide: (question) =>
      traced(spans.decide, (span) => {
        const decision = decide(registry.policy, question);
        const { id, outcome, reason } = decision;
        span.note({ actor: question.actor, target: question.target, outcome, reason, decision: id });
        return decision;
      }),
    audit: audit.token,
    admit: parts.admit,
    ...(settings.compatErrors && { writeError: writeCompatError }),
  });
}

/** One that may just have been registered elsewhere. A database that is down changes nothing. */
async function findFresh({ registry, tools }: State, id: string): Promise<Application | undefined> {
  await registry
    .refresh()
    .catch((err: unknown) => tools.log.warn({ err }, "the registry could not be read afresh"));
  return registry.get(id);
}

function createRegistrarJudge({ settings, tools, registrars }: State, issuer: string) {
  const { registrarId, registrarJwks, readerId, readerJwks } = settings;
  const isSelfSigned = registrarsOf(settings).length === 0 && registrarId !== undefined;
  return registrarJudge({
    selfSigned: isSelfSigned ? { issuer: registrarId, jwks: registrarJwks?.keys ?? [] } : undefined,
    reader: readerJwks && { issuer: readerId, jwks: readerJwks.keys },
    providers: registrars,
    audiences: settings.registrarAudience ?? [issuer, `${issuer}/registration/client`],
    maxLifetimeSeconds: settings.compatClients ? Number.POSITIVE_INFINITY : 3_600,
    now: tools.now,
  });
}

function createRegistration(state: State, judgeRegistrar: JudgeRegistrar): RegistrationEndpoint {
  const { settings, registry, audit, used, tools } = state;
  return registrationEndpoint({
    registry,
    judgeRegistrar,
    judgeStatement: statementJudge({
      issuer: settings.registrarId,
      jwks: settings.registrarJwks?.keys ?? [],
      signingAlgorithms: settings.signingAlgorithms,
      acceptUndated: settings.compatClients,
      claimJti: used.claim,
      now: tools.now,
    }),
    onChange: audit.registration,
  });
}
