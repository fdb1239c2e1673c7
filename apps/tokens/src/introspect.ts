import { anyAudience, audiencesOf, peekJwt } from "@portvakt/oauth";
import { withPatience } from "./acquire/patience.ts";
import { json, type Answer } from "./answers.ts";
import type { Awaitable } from "./app.ts";
import type { Connections } from "./connections/connections.ts";
import type { Connection } from "./connections/connection.ts";
import type { JudgePossession } from "./dpop/possession.ts";
import { parseIntrospectRequest, type IntrospectRequest } from "./schemas.ts";
import { judgeToken } from "./validate/judge.ts";
import { activeBody, claimsOf, inactive, type JudgeOptions, type Judgement } from "./validate/judgement.ts";
import { judgeRequirements } from "./validate/require.ts";

export interface IntrospectOptions extends JudgeOptions {
  readonly connections: Connections;
  readonly judgePossession: JudgePossession;
  /** Called once per introspection; `code` says why a token was refused. */
  readonly observe: (provider: string, code: string) => void;
}

/** `POST /api/v1/introspect`: always 200 about a token; only a request that makes no sense is an error. */
export function introspect(options: IntrospectOptions, contentType: string, body: string): Awaitable<Answer> {
  const request = parseIntrospectRequest(contentType, body);
  if (request.any === true) return introspectAny(options, request);
  const connection = options.connections.byName(request.identity_provider ?? "");
  const judged = judgeToken(options, connection, request.token);
  const atOnce = !(judged instanceof Promise) && !needsPossession(request, judged);
  return atOnce
    ? answerFor(options, connection, request, judged)
    : answerLater(options, connection, request, judged);
}

/** A provider is found, and the token judged, in no longer than callers wait for one. */
async function introspectAny(options: IntrospectOptions, request: IntrospectRequest): Promise<Answer> {
  const seconds = Math.max(0, ...options.connections.all.map(({ patience }) => patience.seconds));
  const late = (): Found => ({
    judged: inactive(
      "keys_unavailable",
      `not all identity providers have answered within ${seconds} s, so the token cannot be judged`,
    ),
  });
  const { connection, judged } = await withPatience({ seconds }, judgeAmongAll(options, request), late);
  if (connection !== undefined)
    return answerLater(options, connection, request, judged, { identity_provider: connection.provider.name });
  options.observe("any", judged.code);
  return json(200, { active: false, error: judged.error });
}

/** Without a provider, nothing can be found right. */
type Found =
  | { readonly connection: Connection; readonly judged: Judgement }
  | { readonly connection?: undefined; readonly judged: ReturnType<typeof inactive> };

async function judgeAmongAll(options: IntrospectOptions, request: IntrospectRequest): Promise<Found> {
  const connection = await findByIssuer(options.connections.all, request.token);
  if (connection !== undefined)
    return { connection, judged: await judgeUnnamed(options, connection, request) };
  const error = "token can not be validated with any identity provider that is enabled";
  return { judged: inactive("wrong_issuer", error) };
}

/** Nobody named the provider, so that its tokens must be for this application in some way: by an audience, or by a scope. */
async function judgeUnnamed(
  options: IntrospectOptions,
  connection: Connection,
  { token, require }: IntrospectRequest,
): Promise<Judgement> {
  const { audience, provider } = connection;
  if (audience !== anyAudience) return judgeToken(options, connection, token);
  if (!require?.scope) {
    const error = `no audience is set for tokens of ${provider.title}: with any, a scope must be required`;
    return inactive("wrong_audience", error);
  }
  const judged = await judgeToken(options, connection, token);
  // RFC 7519 section 4.1.3: whoever is not among the audiences must refuse. "unspecified" stands for none.
  return judged.active && audiencesOf(claimsOf(judged.body)).some((one) => one !== "unspecified")
    ? inactive("wrong_audience", "the token is for one audience only, and none is set for this application")
    : judged;
}

function needsPossession({ dpop }: IntrospectRequest, judged: Judgement): boolean {
  return judged.active && (judged.cnf !== undefined || Boolean(dpop));
}

async function answerLater(
  options: IntrospectOptions,
  connection: Connection,
  request: IntrospectRequest,
  judging: Judgement | Promise<Judgement>,
  more?: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  const judged = await judging;
  const refusal = judged.active ? await options.judgePossession(request, judged.cnf) : undefined;
  return answerFor(options, connection, request, refusal ?? judged, more);
}

/** What the caller requires is judged last, and each time: it is the caller's own, and no part of the token. */
function answerFor(
  options: IntrospectOptions,
  { provider }: Connection,
  { require }: IntrospectRequest,
  judged: Judgement,
  more?: Readonly<Record<string, unknown>>,
): Answer {
  if (!judged.active) {
    options.observe(provider.name, judged.code);
    return json(200, { active: false, error: judged.error, ...more });
  }
  const { kind } = provider.introspection;
  const unmet = require ? judgeRequirements(claimsOf(judged.body), require, kind, options.now()) : undefined;
  options.observe(provider.name, unmet === undefined ? "active" : "requirement");
  if (unmet !== undefined) return json(200, { active: false, error: unmet, ...more });
  return { status: 200, body: more === undefined ? judged.body : activeBody(claimsOf(judged.body), more) };
}

/**
 * The provider whose issuer the (unverified) token names; its rules then judge the token, the issuer included. Those that are not
 * known yet are looked for at the same time: one that hangs keeps nobody from the others.
 */
async function findByIssuer(all: readonly Connection[], token: string): Promise<Connection | undefined> {
  // A by-reference token does not name its issuer, so that nobody could be asked about it.
  const issuer = peekJwt(token)?.claims.iss;
  if (issuer === undefined) return undefined;
  const found = all.find(({ known }) => known?.issuer === issuer);
  if (found !== undefined) return found;
  const looking = all
    .filter(({ known }) => known === undefined)
    .map(async (connection) => {
      const { issuer: discovered } = await connection.discover();
      return discovered === issuer ? connection : Promise.reject(new TypeError("another issuer"));
    });
  return Promise.any(looking).catch(() => undefined);
}
