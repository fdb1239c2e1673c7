import { peekJwt, ProtocolError } from "@portvakt/oauth";
import { json, type Answer } from "./answers.ts";
import type { Connections } from "./connections/connections.ts";
import type { Connection } from "./connections/connection.ts";
import { introspectRequest, parseBody } from "./schemas.ts";
import { judgeToken } from "./validate/judge.ts";
import { activeBody, type JudgeOptions, type Judgement } from "./validate/judgement.ts";
import { judgeRequirements } from "./validate/require.ts";

export interface IntrospectOptions extends JudgeOptions {
  readonly connections: Connections;
  /** Called once per introspection; `code` says why a token was refused. */
  readonly observe: (provider: string, code: string) => void;
}

/** `POST /api/v1/introspect`: always 200 about a token; only a request that makes no sense is an error. */
export async function introspect(
  options: IntrospectOptions,
  contentType: string,
  body: string,
): Promise<Answer> {
  const request = parseBody(introspectRequest, contentType, body);
  const found =
    request.any === true
      ? await findByIssuer(options.connections, request.token)
      : options.connections.byName(request.identity_provider ?? "");
  if (found === undefined) {
    options.observe("any", "wrong_issuer");
    return json(200, {
      active: false,
      error: "token can not be validated with any identity provider that is enabled",
    });
  }
  const name = found.provider.name;
  const judgement = await judgeToken(options, found, request.token);
  if (!judgement.active) {
    options.observe(name, judgement.code);
    return json(200, {
      active: false,
      error: judgement.error,
      ...(request.any === true ? { identity_provider: name } : {}),
    });
  }
  const unmet =
    request.require === undefined || request.require === null
      ? undefined
      : judgeRequirements(judgement.claims, request.require, options.now());
  options.observe(name, unmet === undefined ? "active" : "requirement");
  if (unmet !== undefined) return json(200, { active: false, error: unmet });
  return { status: 200, body: bodyOf(judgement, request.any === true ? name : undefined) };
}

function bodyOf(judgement: Judgement & { active: true }, provider: string | undefined): string {
  return provider === undefined
    ? judgement.body
    : activeBody(judgement.claims, { identity_provider: provider });
}

/** The provider whose issuer the (unverified) token names. Its rules then judge the token, the issuer included. */
async function findByIssuer(connections: Connections, token: string): Promise<Connection | undefined> {
  const issuer = peekJwt(token)?.claims.iss;
  if (issuer === undefined) {
    throw new ProtocolError(
      "invalid_request",
      "any needs a token that is a JWT: a by-reference token does not name its issuer",
    );
  }
  for (const connection of connections.all) {
    const known = connection.known ?? (await connection.discover().catch(() => undefined));
    if (known?.issuer === issuer) return connection;
  }
  return undefined;
}
