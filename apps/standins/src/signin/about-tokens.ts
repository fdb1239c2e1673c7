import { anyAudience, ProtocolError, verifyJwt, type Clock, type JwtClaims } from "@portvakt/oauth";
import type { AuthenticateClient, RegisteredClient } from "@portvakt/issuer";
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
  /** What userinfo says about the person of a login. */
  readonly describe: (login: Login) => Record<string, unknown>;
}

const noStore = { "cache-control": "no-store" };

/** The userinfo endpoint (OpenID Connect Core section 5.3), for a bearer of a live access token (RFC 6750 section 2.1). */
export async function userinfo(about: AboutTokens, visit: Visit): Promise<Response> {
  const token = /^bearer +(\S+)$/i.exec(visit.request.headers.get("authorization") ?? "")?.[1];
  const found = token === undefined ? undefined : await liveToken(about, token);
  if (found?.login !== undefined) return Response.json(about.describe(found.login), { headers: noStore });
  const challenge = token === undefined ? "Bearer" : 'Bearer error="invalid_token"';
  return Response.json(
    { error: "invalid_token" },
    { status: 401, headers: { ...noStore, "www-authenticate": challenge } },
  );
}

/** Token introspection (RFC 7662): for a client that authenticates; of a token that is not good it says nothing more. */
export async function introspection(about: AboutTokens, visit: Visit): Promise<Response> {
  await authenticate(about, visit);
  const found = await liveToken(about, tokenOf(visit));
  const answer = found === undefined ? { active: false } : { active: true, ...found.claims };
  return Response.json(answer, { headers: noStore });
}

/** Token revocation (RFC 7009 section 2): a client may end its own tokens; anything unknown is answered with 200 too. */
export async function revocation(about: AboutTokens, visit: Visit): Promise<Response> {
  const caller = await authenticate(about, visit);
  const token = tokenOf(visit);
  const login = about.logins.refreshes.get(token)?.login ?? (await liveToken(about, token))?.login;
  if (login?.clientId === caller.id) about.logins.revoke(login);
  return new Response(null, { status: 200, headers: noStore });
}

function tokenOf(visit: Visit): string {
  const token = visit.params.one("token");
  if (token === undefined) throw new ProtocolError("invalid_request", "parameter token is missing");
  return token;
}

async function authenticate(about: AboutTokens, { request, params }: Visit): Promise<RegisteredClient> {
  const { headers, method, url } = request;
  return about.authenticate({ params, headers, method, url, grantType: "" });
}

/** The claims of an access token of ours that has not expired and was not revoked. */
async function liveToken(
  about: AboutTokens,
  token: string,
): Promise<{ claims: JwtClaims; login: Login | undefined } | undefined> {
  const claims = about.issued.byReference.get(token) ?? (await verified(about, token));
  if (claims === undefined) return undefined;
  const login = about.issued.loginOf.get(claims.jti ?? "");
  if (login === undefined) return { claims, login };
  const { revoked } = about.logins;
  const ended = about.endsWithSession(login) && revoked.get(login.sid) === true;
  return ended || revoked.get(login.id) === true ? undefined : { claims, login };
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
