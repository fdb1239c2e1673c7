import { peekJwt } from "@portvakt/oauth";
import { json, type Answer } from "./answers.ts";
import type { Awaitable } from "./app.ts";
import type { Connections } from "./connections/connections.ts";
import type { Connection } from "./connections/connection.ts";
import { introspectRequest, parseBody, type IntrospectRequest } from "./schemas.ts";
import { judgeToken } from "./validate/judge.ts";
import { activeBody, claimsOf, type JudgeOptions, type Judgement } from "./validate/judgement.ts";
import { judgeRequirements } from "./validate/require.ts";

export interface IntrospectOptions extends JudgeOptions {
  readonly connections: Connections;
  /** Called once per introspection; `code` says why a token was refused. */
  readonly observe: (provider: string, code: string) => void;
}

/** `POST /api/v1/introspect`: always 200 about a token; only a request that makes no sense is an error. */
export function introspect(options: IntrospectOptions, contentType: string, body: string): Awaitable<Answer> {
  const request = parseBody(introspectRequest, contentType, body);
  if (request.any === true) return introspectAny(options, request);
  const connection = options.connections.byName(request.identity_provider ?? "");
  const judgement = judgeToken(options, connection, request.token);
  return judgement instanceof Promise
    ? judgement.then((judged) => answerFor(options, connection, request, judged))
    : answerFor(options, connection, request, judgement);
}

async function introspectAny(options: IntrospectOptions, request: IntrospectRequest): Promise<Answer> {
  const connection = await findByIssuer(options.connections, request.token);
  if (connection === undefined) {
    options.observe("any", "wrong_issuer");
    const error = "token can not be validated with any identity provider that is enabled";
    return json(200, { active: false, error });
  }
  const judged = await judgeToken(options, connection, request.token);
  return answerFor(options, connection, request, judged, { identity_provider: connection.provider.name });
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
  const unmet = require ? judgeRequirements(claimsOf(judged.body), require, options.now()) : undefined;
  options.observe(provider.name, unmet === undefined ? "active" : "requirement");
  if (unmet !== undefined) return json(200, { active: false, error: unmet, ...more });
  return { status: 200, body: more === undefined ? judged.body : activeBody(claimsOf(judged.body), more) };
}

/** The provider whose issuer the (unverified) token names. Its rules then judge the token, the issuer included. */
async function findByIssuer(connections: Connections, token: string): Promise<Connection | undefined> {
  // A by-reference token does not name its issuer, so that nobody could be asked about it.
  const issuer = peekJwt(token)?.claims.iss;
  if (issuer === undefined) return undefined;
  for (const connection of connections.all) {
    const known = connection.known ?? (await connection.discover().catch(() => undefined));
    if (known?.issuer === issuer) return connection;
  }
  return undefined;
}
