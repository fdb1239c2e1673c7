import { hash } from "node:crypto";
import { anyAudience, ProtocolError } from "@portvakt/oauth";
import type { Provider, SubjectContext } from "@portvakt/providers";
import { cacheKey } from "./acquire/cache.ts";
import { json, type Answer } from "./answers.ts";
import type { Awaitable } from "./app.ts";
import type { Connection } from "./connections/connection.ts";
import type { Connections } from "./connections/connections.ts";
import { exchangeRequest, parseBody } from "./schemas.ts";
import { handOut, type TokenOptions } from "./token.ts";

/** `POST /api/v1/token/exchange`: a token for the next application, on behalf of the user whose token came in. */
export function exchange(options: TokenOptions, contentType: string, body: string): Awaitable<Answer> {
  const request = parseBody(exchangeRequest, contentType, body);
  const connection = options.connections.byName(request.identity_provider);
  const { provider, clientId } = connection;
  const grant = provider.exchange;
  if (grant === undefined || clientId === undefined) {
    throw new ProtocolError(
      "invalid_request",
      `identity provider '${provider.name}' does not support token exchange`,
    );
  }
  const { target } = request;
  const ask = { target, userToken: request.user_token.trim() };
  const problem = lookAtSubject(options, connection, grant, ask.userToken);
  if (problem !== undefined) return problem;
  return handOut(options, {
    provider,
    target,
    key: cacheKey(["exchange", provider.name, clientId, target, hash("sha256", ask.userToken, "base64url")]),
    skipCache: request.skip_cache === true,
    client: () => connection.client(),
    build: (client) => grant.build(client, ask),
    judge: grant.judge,
    breaker: connection.breaker,
    patience: connection.patience,
    binding: connection.binding,
  });
}

/** Looks at the user token before the provider sees it, so that the error can say which of its parts is wrong. */
function lookAtSubject(
  { connections, now }: TokenOptions,
  { clientId, known }: Connection,
  grant: NonNullable<Provider["exchange"]>,
  userToken: string,
): Answer | undefined {
  const context: SubjectContext = {
    clientId: clientId ?? "",
    issuer: known?.issuer ?? "",
    now: now(),
    audiences: audiencesByIssuer(connections),
  };
  const problem = grant.look(userToken, context);
  if (problem === undefined) return undefined;
  const { error, description, hint } = problem;
  return json(400, { error, error_description: description, hint, owner: "application" });
}

function audiencesByIssuer({ all }: Connections): ReadonlyMap<string, readonly string[]> {
  const entries = all.flatMap(({ known, audience }) =>
    known === undefined || audience === anyAudience
      ? []
      : [[known.issuer, typeof audience === "string" ? [audience] : audience] as const],
  );
  return new Map(entries);
}
