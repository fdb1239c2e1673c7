import { hash } from "node:crypto";
import { ProtocolError } from "@portvakt/oauth";
import type { MachineTokenAsk } from "@portvakt/providers";
import type { Acquire, IssuedToken, Order } from "./acquire/acquire.ts";
import { cacheKey, type Obtained } from "./acquire/cache.ts";
import { errorAnswer, type Answer } from "./answers.ts";
import type { Awaitable } from "./app.ts";
import type { Connection } from "./connections/connection.ts";
import type { Connections } from "./connections/connections.ts";
import { parseBody, tokenRequest } from "./schemas.ts";

export interface TokenOptions {
  readonly now: () => number;
  readonly steady: () => number;
  readonly connections: Connections;
  readonly acquire: Acquire;
  /** Called once per token handed out. */
  readonly observe: (provider: string, source: string) => void;
}

/** `POST /api/v1/token`: a token for the application itself. */
export function token(options: TokenOptions, contentType: string, body: string): Awaitable<Answer> {
  const request = parseBody(tokenRequest, contentType, body);
  const connection = options.connections.byName(request.identity_provider);
  const { provider } = connection;
  const grant = provider.token;
  if (grant === undefined || connection.clientId === undefined) {
    throw new ProtocolError(
      "invalid_request",
      `identity provider '${provider.name}' does not support token requests`,
    );
  }
  const { target } = request;
  const ask: MachineTokenAsk = {
    target,
    ...(request.resource ? { resource: request.resource } : {}),
    ...(request.authorization_details ? { authorizationDetails: request.authorization_details } : {}),
    ...(request.consumer_org ? { consumerOrg: request.consumer_org } : {}),
    ...(request.pid ? { pid: request.pid } : {}),
  };
  return handOut(options, {
    provider,
    target,
    key: machineKey(connection, ask),
    skipCache: request.skip_cache === true,
    ahead: true,
    client: () => connection.client(),
    build: (client) => grant.build(client, ask),
    judge: grant.judge,
    breaker: connection.breaker,
    patience: connection.patience,
    binding: connection.binding,
  });
}

/** Gets what is ordered and answers with it, or with the error. */
export function handOut(options: TokenOptions, order: Order): Awaitable<Answer> {
  const obtained = options.acquire(order);
  const answer = (issued: Obtained<IssuedToken>): Answer => {
    options.observe(order.provider.name, issued.source);
    return tokenAnswer(issued, options.steady());
  };
  return obtained instanceof Promise
    ? obtained.then(answer).catch((error: unknown) => errorAnswer(error, order))
    : answer(obtained);
}

/** Everything that changes the token; the person only as a hash. */
function machineKey({ provider, clientId }: Connection, ask: MachineTokenAsk): string {
  return cacheKey([
    "token",
    provider.name,
    clientId,
    ask.target,
    ask.consumerOrg,
    ask.pid === undefined ? undefined : hash("sha256", ask.pid, "base64url"),
    ask.authorizationDetails === undefined ? undefined : JSON.stringify(ask.authorizationDetails),
    ...(ask.resource ?? []),
  ]);
}

/** What stays the same each time that a token is handed out, as it is written. */
const written = new WeakMap<IssuedToken, string>();

function membersOf(token: IssuedToken): string {
  const known = written.get(token);
  if (known !== undefined) return known;
  const { accessToken, tokenType, issuedTokenType, scope } = token;
  const members = JSON.stringify({
    access_token: accessToken,
    token_type: tokenType,
    issued_token_type: issuedTokenType,
    scope,
  }).slice(1);
  written.set(token, members);
  return members;
}

/** The answer of both token endpoints. `expires_in` is what is left now, in whole seconds, never rounded up. */
function tokenAnswer({ value, expiresAt }: Obtained<IssuedToken>, at: number): Answer {
  const left = Math.max(0, Math.floor(expiresAt - at));
  return { status: 200, body: `{"expires_in":${left},${membersOf(value)}` };
}
