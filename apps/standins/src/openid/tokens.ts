import { createHash, randomUUID } from "node:crypto";
import { grantTypes, ProtocolError, type JwtClaims } from "@portvakt/oauth";
import type { Grant, TokenAnswer } from "@portvakt/issuer";
import type { OpenidClient } from "../registrations.ts";
import type { IssuedTokens } from "../signin/about-tokens.ts";
import type { Caller } from "../signin/clients.ts";
import type { Asked } from "../signin/grants.ts";
import type { Login, Person } from "../signin/logins.ts";
import { personalClaims, textOf, type Parts } from "../standin.ts";
import type { Proofs } from "./proof.ts";
import { openidLevels } from "./sign-in.ts";

/** Life of access tokens and ID tokens, in seconds. */
const tokenSeconds = 3600;

const byScope = {
  profile: [
    "name",
    "family_name",
    "given_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
    "updated_at",
  ],
  email: ["email", "email_verified"],
  address: ["address"],
  phone: ["phone_number", "phone_number_verified"],
} as const;

/** Every claim that a scope can ask for. */
export const scopedClaimNames: readonly string[] = Object.values(byScope).flat();

/**
 * The claims about a person that scopes ask for (OpenID Connect Core section 5.4), or that were wished one by one
 * (section 5.5); those that were edited in, always.
 */
export function scopedClaims(
  person: Person,
  scope: readonly string[],
  wished: Iterable<string> = [],
): Record<string, unknown> {
  const hidden = new Set<string>(
    Object.entries(byScope).flatMap(([name, claims]) => (scope.includes(name) ? [] : claims)),
  );
  for (const name of wished) hidden.delete(name);
  return Object.fromEntries(
    Object.entries(personalClaims(person.claims)).filter(([name]) => !hidden.has(name)),
  );
}

export interface AccessTokenFor {
  readonly clientId: string;
  readonly subject: string;
  readonly audience: string | readonly string[];
  readonly scope: readonly string[];
  /** Thumbprint of the key that the token is bound to (RFC 9449 section 6). */
  readonly jkt?: string;
}

/** The claims of an access token (RFC 9068 section 2.2). */
export function accessClaims(parts: Pick<Parts, "base" | "now">, about: AccessTokenFor): JwtClaims {
  const now = Math.floor(parts.now());
  return {
    iss: parts.base,
    sub: about.subject,
    aud: typeof about.audience === "string" ? about.audience : [...about.audience],
    client_id: about.clientId,
    scope: about.scope.join(" "),
    iat: now,
    exp: now + tokenSeconds,
    jti: randomUUID(),
    ...(about.jkt === undefined ? {} : { cnf: { jkt: about.jkt } }),
  };
}

/** The claims of an ID token (OpenID Connect Core section 2). */
export function idClaims(
  parts: Pick<Parts, "base" | "now">,
  login: Login,
  { accessToken, refreshed = false }: { accessToken?: string; refreshed?: boolean } = {},
): JwtClaims {
  const now = Math.floor(parts.now());
  return {
    ...scopedClaims(login.person, login.scope, login.claims?.idToken.keys()),
    iss: parts.base,
    sub: textOf(login.person.claims["sub"]),
    aud: login.clientId,
    auth_time: login.authTime,
    acr: login.acr ?? openidLevels[0],
    amr: ["pwd"],
    azp: login.clientId,
    ...(accessToken === undefined ? {} : { at_hash: hashOf(accessToken) }),
    ...(login.nonce === undefined || refreshed ? {} : { nonce: login.nonce }),
    sid: login.sid,
    iat: now,
    exp: now + tokenSeconds,
  };
}

/** OpenID Connect Core section 3.1.3.6: the left half of the hash that goes with RS256. */
function hashOf(accessToken: string): string {
  return createHash("sha256").update(accessToken, "ascii").digest().subarray(0, 16).toString("base64url");
}

/** The token endpoint's answer for a login. */
export async function openidAnswer(
  parts: Parts,
  issued: IssuedTokens,
  context: {
    login: Login;
    client: Caller<OpenidClient>;
    asked: Asked;
    /** The thumbprint of the key that the token is bound to. */
    jkt: string | undefined;
    refresh: () => string;
  },
): Promise<TokenAnswer> {
  const { login, client, asked } = context;
  const test = asked.headers.get("x-standin-test") ?? undefined;
  const occasion = { provider: "openid", clientId: client.id, test } as const;
  const scope =
    asked.scope === undefined ? login.scope : login.scope.filter((one) => asked.scope?.includes(one));
  const claims = accessClaims(parts, {
    clientId: client.id,
    subject: textOf(login.person.claims["sub"]),
    audience: login.resource.length > 0 ? login.resource : (client.registration.audience ?? parts.base),
    scope,
    ...(context.jkt === undefined ? {} : { jkt: context.jkt }),
  });
  issued.loginOf.set(claims.jti ?? "", login, tokenSeconds);
  // OpenID Connect Core section 12.2: an ID token from a refresh has no nonce.
  const refreshed = asked.params.one("refresh_token") !== undefined;
  const accessToken = await parts.signing.sign(claims, { ...occasion, token: "access_token" }, "at+jwt");
  return {
    access_token: accessToken,
    token_type: context.jkt === undefined ? "Bearer" : "DPoP",
    expires_in: tokenSeconds,
    scope: scope.join(" "),
    id_token: await parts.signing.sign(idClaims(parts, login, { accessToken, refreshed }), {
      ...occasion,
      token: "id_token",
    }),
    ...(login.scope.includes("offline_access") ? { refresh_token: context.refresh() } : {}),
  };
}

/** Client credentials (RFC 6749 section 4.4): a token for the client itself, of its registered scopes. */
export function ownTokenGrant(parts: Parts, proofs: Proofs): Grant<Caller<OpenidClient>> {
  return {
    grantType: grantTypes.clientCredentials,
    required: [],
    optional: ["scope", "resource"],
    repeatable: ["resource"],
    async authorize({ request, client }) {
      if (client.usedMethod === "none")
        throw new ProtocolError("unauthorized_client", "a public client has no token of its own");
      const scope = request.params.one("scope")?.split(" ") ?? [];
      if (scope.some((one) => one === "openid" || !client.registration.scopes.includes(one)))
        throw new ProtocolError("invalid_scope", "a scope is not registered for this client");
      const resource = request.params.all("resource");
      const audience = resource.length > 0 ? resource : (client.registration.audience ?? parts.base);
      const test = request.headers.get("x-standin-test") ?? undefined;
      const jkt = await proofs.atToken(request.headers);
      return {
        async issue() {
          const about = { clientId: client.id, subject: client.id, audience, scope };
          const claims = accessClaims(parts, jkt === undefined ? about : { ...about, jkt });
          const occasion = { provider: "openid", token: "access_token", clientId: client.id, test } as const;
          return {
            access_token: await parts.signing.sign(claims, occasion, "at+jwt"),
            token_type: jkt === undefined ? "Bearer" : "DPoP",
            expires_in: tokenSeconds,
            scope: scope.join(" "),
          };
        },
      };
    },
  };
}
