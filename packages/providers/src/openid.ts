import {
  buildTokenRequest,
  Fault,
  grantTypes,
  peekJwt,
  randomToken,
  tokenTypes,
  type JwtClaims,
  type SignatureAlgorithm,
  type VerifiedToken,
} from "@portvakt/oauth";
import { objectToIdToken, objectToType } from "./access-token.ts";
import { judgeIssuedToken, noClientAuth } from "./answers.ts";
import type {
  ExchangeAsk,
  MachineTokenAsk,
  Provider,
  ProviderClient,
  ProviderGrant,
  SubjectKind,
} from "./provider.ts";
import { lookAtTimes } from "./subject.ts";

/** How a provider that is known by configuration alone is asked for machine tokens, and for tokens of a user. */
export interface OpenIdHabits {
  readonly name: string;
  readonly token?: keyof typeof machineGrants;
  readonly exchange?: keyof typeof exchangeGrants;
  /** Algorithms of its tokens; fixed here, never taken from a token. */
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Whether its access tokens have the client ID as audience, as its ID tokens do. */
  readonly audienceIsClient?: boolean;
}

/** RFC 6749 section 4.4; `resource` as in RFC 8707, `authorization_details` as in RFC 9396 section 6. */
function buildClientCredentials(client: ProviderClient, ask: MachineTokenAsk): Promise<Request> {
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: {
      grant_type: grantTypes.clientCredentials,
      scope: ask.target,
      resource: ask.resource,
      authorization_details:
        ask.authorizationDetails === undefined ? undefined : JSON.stringify(ask.authorizationDetails),
    },
    auth: client.auth,
  });
}

/** RFC 7523 section 2.1, as written: the scope is a parameter, `sub` is the client itself. */
async function buildJwtGrant(client: ProviderClient, ask: MachineTokenAsk): Promise<Request> {
  if (client.signer === undefined) throw new Fault("bad_key", "a JWT grant needs a signing key");
  const iat = Math.floor(client.now());
  const assertion = await client.signer.sign({
    iss: client.clientId,
    sub: client.clientId,
    aud: client.issuer,
    iat,
    exp: iat + 30,
    jti: randomToken(),
  });
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: { grant_type: grantTypes.jwtBearer, assertion, scope: ask.target, resource: ask.resource },
    auth: noClientAuth,
  });
}

/** RFC 8693 section 2.1. */
function buildTokenExchange(client: ProviderClient, ask: ExchangeAsk): Promise<Request> {
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: {
      grant_type: grantTypes.tokenExchange,
      subject_token: ask.userToken,
      subject_token_type: tokenTypes.accessToken,
      audience: ask.target,
    },
    auth: client.auth,
  });
}

/** The on-behalf-of flow, for providers that follow Entra ID. */
function buildOnBehalfOf(client: ProviderClient, ask: ExchangeAsk): Promise<Request> {
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: {
      grant_type: grantTypes.jwtBearer,
      requested_token_use: "on_behalf_of",
      assertion: ask.userToken,
      scope: ask.target,
    },
    auth: client.auth,
  });
}

/** Machine grants by the name that a configuration uses. */
export const machineGrants = {
  client_credentials: { build: buildClientCredentials, judge: judgeIssuedToken },
  jwt_grant: { build: buildJwtGrant, judge: judgeIssuedToken },
} as const satisfies Record<string, ProviderGrant<MachineTokenAsk>>;

/** Exchange grants by the name that a configuration uses. */
export const exchangeGrants = {
  token_exchange: { build: buildTokenExchange, judge: judgeIssuedToken },
  on_behalf_of: { build: buildOnBehalfOf, judge: judgeIssuedToken },
} as const satisfies Record<string, ProviderGrant<ExchangeAsk>>;

/** RFC 9068 section 2.2 and RFC 8693 section 4.2; `scp` is what some write instead. ID tokens may have `azp`, but none of these. */
const accessTokenMarks = ["client_id", "scope", "scp"] as const;

/** Where the audience is that of ID tokens too (OpenID Connect Core section 2), only what an access token says of itself tells them apart. */
function objectToUnmarked({ header, claims }: VerifiedToken): string | undefined {
  const typed = /^(application\/)?at\+jwt$/i.test(String(header["typ"]));
  if (typed || accessTokenMarks.some((name) => claims[name] !== undefined)) return undefined;
  return "this may be an ID token: it has the client ID as audience, and neither typ at+jwt nor client_id or scope; set the audience of access tokens, if they have another";
}

/** RFC 9068 section 2.2: an application on its own is its own subject; a user has signed in at some time. */
function kindOf({ idtyp, sub, client_id, azp, auth_time }: Readonly<JwtClaims>): SubjectKind {
  const machine = idtyp === "app" || (sub !== undefined && sub === (client_id ?? azp));
  const user = typeof auth_time === "number";
  if (user === machine) return "unknown";
  return user ? "user" : "machine";
}

/** A row for a provider that only configuration knows. Its tokens' audience is configured beside it. */
export function openidProvider(habits: OpenIdHabits): Provider {
  return {
    name: habits.name,
    title: habits.name,
    aliases: [],
    ...(habits.token === undefined ? {} : { token: machineGrants[habits.token] }),
    ...(habits.exchange === undefined
      ? {}
      : {
          exchange: {
            ...exchangeGrants[habits.exchange],
            // What the audience should be is the provider's own affair; a by-reference token cannot be looked into.
            look: (userToken, { now }) => {
              const claims = peekJwt(userToken)?.claims;
              return claims === undefined ? undefined : lookAtTimes(claims, now, "invalid_grant");
            },
          },
        }),
    introspection: {
      rules: ({ issuer, audience, keys }) => ({ issuer, audience, keys, algorithms: habits.algorithms }),
      objection: (token) =>
        objectToType(token) ??
        objectToIdToken(token.claims) ??
        (habits.audienceIsClient === true ? objectToUnmarked(token) : undefined),
      kind: kindOf,
      byReference: true,
    },
    explain: () => undefined,
  };
}
