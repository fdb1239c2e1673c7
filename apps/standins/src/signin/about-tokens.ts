import { anyAudience, ProtocolError, verifyJwt, type Clock, type JwtClaims } from "@portvakt/oauth";
import { readCredentials, type AuthenticateClient, type RegisteredClient } from "@portvakt/issuer";
import type { Visit } from "../app.ts";
import type { Expiring } from "../expiring.ts";
import type { Signing } from "../keys/signing.ts";
import type { Login, Logins } from "./logins.ts";

/** Tokens by reference, and which login each access token belongs to (by `jti`). */
export interface IssuedTokens {
  readonly byReference: Expiring<JwtClaims>;
  readonly loginOf: Expiring<Login>;
}

export interface AboutTokens {
  readonly issuer: string;
  readonly now: Clock;
  readonly signing: Signing;
  readonly logins: Logins;
  readonly issued: IssuedTokens;
  readonly authenticate: AuthenticateClient<RegisteredClient>;
  /** Whether a login's tokens end when the browser's session does. */
  readonly endsWithSession: (login: Login) => boolean;
  /** Whether the request proves to hold the key that the token is bound to, where it is bound to one (RFC 9449 section 7). */
  readonly proves: (claims: JwtClaims, token: string, visit: Visit) => Promise<boolean>;
  /** What userinfo says about the person of a login. */
  readonly describe: (login: Login) => Record<string, unknown>;
}

const noStore = { "cache-control": "no-store" };

/**
 * The userinfo endpoint (OpenID Connect Core section 5.3), for a bearer of a live access token with the scope openid. The
 * token comes in the header or, by POST, in the form (RFC 6750 sections 2.1, 2.2): in one place only.
 */
export async function userinfo(about: AboutTokens, visit: Visit): Promise<Response> {
  const { request, params } = visit;
  const header = request.headers.get("authorization");
  const inForm = request.method === "POST" ? params.one("access_token") : undefined;
  if (header === null && inForm === undefined) return challenge(401);
  if (header !== null && inForm !== undefined) return challenge(400, "invalid_request");
  const token = inForm ?? /^(?:bearer|dpop) +(\S+)$/i.exec(header ?? "")?.[1];
  if (token === undefined) return challenge(400, "invalid_request");
  const found = await liveToken(about, token);
  if (found === undefined) return challenge(401, "invalid_token");
  if (!(await about.proves(found.claims, token, visit))) return challenge(401, "invalid_token");
  const { login } = found;
  if (login === undefined || !(found.claims["scope"] as string | undefined)?.split(" ").includes("openid"))
    return challenge(403, "insufficient_scope");
  return Response.json(about.describe(login), { headers: noStore });
}

/** RFC 6750 section 3: no error code for a request that brought no token. */
function challenge(status: number, error?: string): Response {
  const text = error === undefined ? "Bearer" : `Bearer error="${error}"`;
  return new Response(error === undefined ? null : JSON.stringify({ error }), {
    status,
    headers: {
      ...noStore,
      "www-authenticate": text,
      ...(error === undefined ? {} : { "content-type": "application/json" }),
    },
  });
}

/**
 * Token introspection (RFC 7662): for a client that authenticates, which a public one does not (section 2.1); of a token
 * that is not good it says nothing more.
 */
export async function introspection(about: AboutTokens, visit: Visit): Promise<Response> {
  await authenticate(about, visit, "confidential");
  const token = tokenOf(visit);
  const found = await liveToken(about, token);
  if (found !== undefined) return Response.json({ active: true, ...found.claims }, { headers: noStore });
  return Response.json(aboutRefresh(about, token), { headers: noStore });
}

/** Section 2.1: the search covers every kind of token. */
function aboutRefresh(about: AboutTokens, token: string): Record<string, unknown> {
  const refresh = about.logins.refreshes.get(token);
  if (refresh === undefined || refresh.spent || isOver(about, refresh.login)) return { active: false };
  const { clientId, scope, endsAt } = refresh.login;
  return {
    active: true,
    client_id: clientId,
    scope: scope.join(" "),
    exp: Math.floor(endsAt),
    iss: about.issuer,
  };
}

/**
 * Token revocation (RFC 7009 section 2): a client may end its own tokens, and hears when a token is another's; anything
 * unknown is answered with 200.
 */
export async function revocation(about: AboutTokens, visit: Visit): Promise<Response> {
  const caller = await authenticate(about, visit, "any");
  const token = tokenOf(visit);
  const login = about.logins.refreshes.get(token)?.login ?? (await liveToken(about, token))?.login;
  if (login !== undefined && login.clientId !== caller.id)
    throw new ProtocolError("invalid_grant", "the token was issued to another client");
  if (login !== undefined) about.logins.revoke(login);
  return new Response(null, { status: 200, headers: noStore });
}

function tokenOf(visit: Visit): string {
  const token = visit.params.one("token");
  if (token === undefined) throw new ProtocolError("invalid_request", "parameter token is missing");
  return token;
}

async function authenticate(
  about: AboutTokens,
  { request, params }: Visit,
  who: "any" | "confidential",
): Promise<RegisteredClient> {
  const { headers, method, url } = request;
  const asked = { params, headers, method, url, grantType: "" };
  const client = await about.authenticate(asked);
  if (who === "confidential" && readCredentials(asked).method === "none")
    throw new ProtocolError("invalid_client", "a public client proves nothing");
  return client;
}

/** The claims of an access token of ours that has not expired and was not revoked. */
async function liveToken(
  about: AboutTokens,
  token: string,
): Promise<{ claims: JwtClaims; login: Login | undefined } | undefined> {
  const claims = about.issued.byReference.get(token) ?? (await verified(about, token));
  if (claims === undefined) return undefined;
  const login = about.issued.loginOf.get(claims.jti ?? "");
  return login !== undefined && isOver(about, login) ? undefined : { claims, login };
}

function isOver({ logins: { revoked }, endsWithSession }: AboutTokens, login: Login): boolean {
  return revoked.get(login.id) === true || (endsWithSession(login) && revoked.get(login.sid) === true);
}

async function verified(about: AboutTokens, token: string): Promise<JwtClaims | undefined> {
  const result = await verifyJwt(
    token,
    {
      issuer: about.issuer,
      audience: anyAudience,
      keys: about.signing.keySet,
      algorithms: ["RS256"],
      // An ID token has neither.
      required: ["iss", "exp", "iat", "scope", "client_id"],
      toleranceSeconds: 0,
    },
    about.now,
  );
  return result.ok ? result.token.claims : undefined;
}
