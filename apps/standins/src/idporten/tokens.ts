import { createHash, randomUUID } from "node:crypto";
import { randomToken, type JwtClaims } from "@portvakt/oauth";
import type { TokenAnswer } from "@portvakt/issuer";
import type { IdportenClient } from "../registrations.ts";
import type { IssuedTokens } from "../signin/about-tokens.ts";
import type { Asked } from "../signin/grants.ts";
import type { Login, Person } from "../signin/logins.ts";
import { personalClaims, type Parts } from "../standin.ts";
import type { Caller } from "../signin/clients.ts";

/** Life of an ID token, in seconds: it is for signing in, not for keeping. */
const idTokenSeconds = 120;

/** The token endpoint's answer for a login: access token, ID token, and a refresh token. */
export async function idportenAnswer(
  parts: Parts,
  issued: IssuedTokens,
  context: { login: Login; client: Caller<IdportenClient>; asked: Asked; refresh: () => string },
): Promise<TokenAnswer> {
  const { login, client, asked } = context;
  const { registration } = client;
  const occasion = {
    provider: "idporten",
    clientId: client.id,
    test: asked.headers.get("x-standin-test") ?? undefined,
  } as const;
  const scope =
    asked.scope === undefined ? login.scope : login.scope.filter((one) => asked.scope?.includes(one));
  const claims = accessClaims(parts, {
    registration,
    person: login.person,
    scope,
    resource: login.resource,
    method: client.usedMethod,
  });
  const lifetime = registration.access_token_lifetime;
  issued.loginOf.set(claims.jti ?? "", login, lifetime);
  let token: string;
  if (registration.access_token_by_reference) {
    token = randomToken(32);
    issued.byReference.set(token, claims, lifetime);
  } else token = await parts.signing.sign(claims, { ...occasion, token: "access_token" });
  const idToken = await parts.signing.sign(idClaims(parts, login, registration), {
    ...occasion,
    token: "id_token",
  });
  return {
    access_token: token,
    id_token: idToken,
    refresh_token: context.refresh(),
    token_type: "Bearer",
    expires_in: lifetime,
    scope: scope.join(" "),
  };
}

export interface AccessTokenFor {
  readonly registration: Pick<IdportenClient, "client_id" | "orgno" | "access_token_lifetime">;
  readonly person: Person;
  readonly scope: readonly string[];
  readonly resource: readonly string[];
  readonly method: string;
}

/** The claims of an access token by value. `aud` is the resource that was asked for, else the word `unspecified`. */
export function accessClaims(parts: Pick<Parts, "base" | "now">, subject: AccessTokenFor): JwtClaims {
  const { registration, person, scope, resource, method } = subject;
  const now = Math.floor(parts.now());
  const [only] = resource;
  return {
    ...personalClaims(person.claims),
    iss: parts.base,
    sub: pairwiseSubject(person, registration.client_id),
    aud: resource.length > 1 ? [...resource] : (only ?? "unspecified"),
    acr: person.acr,
    scope: scope.join(" "),
    client_id: registration.client_id,
    client_amr: method,
    client_orgno: registration.orgno,
    consumer: { authority: "iso6523-actorid-upis", ID: `0192:${registration.orgno}` },
    token_type: "Bearer",
    iat: now,
    exp: now + registration.access_token_lifetime,
    jti: randomUUID(),
  };
}

/** The claims of an ID token. `sid` only for clients that asked for it; no `at_hash`, as the provider dropped it. */
export function idClaims(
  parts: Pick<Parts, "base" | "now">,
  login: Login,
  registration: Pick<IdportenClient, "client_id" | "frontchannel_logout_session_required">,
): JwtClaims {
  const now = Math.floor(parts.now());
  const { person } = login;
  return {
    ...personalClaims(person.claims),
    iss: parts.base,
    sub: pairwiseSubject(person, registration.client_id),
    aud: registration.client_id,
    acr: person.acr,
    amr: [person.amr ?? "TestID"],
    auth_time: login.authTime,
    locale: person.locale ?? "nb",
    ...(login.nonce === undefined ? {} : { nonce: login.nonce }),
    ...(registration.frontchannel_logout_session_required ? { sid: login.sid } : {}),
    iat: now,
    exp: now + idTokenSeconds,
    jti: randomUUID(),
  };
}

/** OpenID Connect Core section 8.1: the same person has another `sub` at every client. */
export function pairwiseSubject(person: Person, clientId: string): string {
  return createHash("sha256").update(`${clientId}\n${person.id}`).digest("base64url");
}
