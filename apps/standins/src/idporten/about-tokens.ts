import { anyAudience, ProtocolError, verifyJwt, type JwtClaims } from "@portvakt/oauth";
import type { Visit } from "../app.ts";
import type { Login, Logins } from "../signin/logins.ts";
import type { Parts } from "../standin.ts";
import type { IdportenClients } from "./clients.ts";
import { pairwiseSubject, type IssuedTokens } from "./tokens.ts";

export interface AboutTokens {
  readonly parts: Parts;
  readonly clients: IdportenClients;
  readonly issued: IssuedTokens;
  readonly logins: Logins;
}

/** The userinfo endpoint (OpenID Connect Core section 5.3): `sub`, and nothing that the ID token does not have. */
export async function userinfo(about: AboutTokens, visit: Visit): Promise<Response> {
  const token = /^bearer +(\S+)$/i.exec(visit.request.headers.get("authorization") ?? "")?.[1];
  const found = token === undefined ? undefined : await liveToken(about, token);
  if (found?.login === undefined)
    return Response.json(
      { error: "invalid_token" },
      {
        status: 401,
        headers: { "www-authenticate": 'Bearer error="invalid_token"', "cache-control": "no-store" },
      },
    );
  const { login } = found;
  return Response.json(
    {
      sub: pairwiseSubject(login.person, login.clientId),
      ...login.person.claims,
      locale: login.person.locale ?? "nb",
    },
    { headers: { "cache-control": "no-store" } },
  );
}

/** Token introspection (RFC 7662): for a client that authenticates; a token that is not good says nothing more. */
export async function introspection(about: AboutTokens, visit: Visit): Promise<Response> {
  await authenticate(about, visit);
  const token = visit.params.one("token");
  if (token === undefined) throw new ProtocolError("invalid_request", "parameter token is missing");
  const found = await liveToken(about, token);
  return Response.json(found === undefined ? { active: false } : { active: true, ...found.claims }, {
    headers: { "cache-control": "no-store" },
  });
}

/** Token revocation (RFC 7009 section 2): a client may end its own tokens; anything unknown is answered with 200 too. */
export async function revocation(about: AboutTokens, visit: Visit): Promise<Response> {
  const caller = await authenticate(about, visit);
  const token = visit.params.one("token");
  if (token === undefined) throw new ProtocolError("invalid_request", "parameter token is missing");
  const login = about.logins.refreshes.get(token)?.login ?? (await liveToken(about, token))?.login;
  if (login?.clientId === caller.id) about.logins.revoke(login);
  return new Response(null, { status: 200, headers: { "cache-control": "no-store" } });
}

async function authenticate(
  about: AboutTokens,
  { request, params }: Visit,
): ReturnType<IdportenClients["authenticate"]> {
  const { headers, method, url } = request;
  return about.clients.authenticate({ params, headers, method, url, grantType: "" });
}

/** The claims of an access token of ours that has not expired and was not revoked. */
async function liveToken(
  about: AboutTokens,
  token: string,
): Promise<{ claims: JwtClaims; login: Login | undefined } | undefined> {
  const claims = about.issued.byReference.get(token) ?? (await verified(about.parts, token));
  if (claims === undefined) return undefined;
  const login = about.issued.loginOf.get(claims.jti ?? "");
  if (login === undefined) return { claims, login };
  const { revoked } = about.logins;
  const signInOnly = login.scope.every((scope) => scope === "openid" || scope === "profile");
  if (revoked.get(login.id) === true || (signInOnly && revoked.get(login.sessionId) === true))
    return undefined;
  return { claims, login };
}

async function verified(parts: Parts, token: string): Promise<JwtClaims | undefined> {
  const result = await verifyJwt(
    token,
    {
      issuer: parts.base,
      audience: anyAudience,
      keys: parts.signing.keySet,
      algorithms: ["RS256"],
      required: ["iss", "exp", "iat", "scope", "client_id"],
      toleranceSeconds: 0,
    },
    parts.now,
  );
  return result.ok ? result.token.claims : undefined;
}
