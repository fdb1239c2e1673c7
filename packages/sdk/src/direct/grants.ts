import { buildTokenRequest, Fault, grantTypes, randomToken, tokenTypes } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";
import type { ExchangeRequest, MachineTokenRequest } from "../token-api.ts";
import type { IssuingProvider, ProviderClient } from "./clients.ts";

interface Grants {
  readonly machine?: (client: ProviderClient, ask: MachineTokenRequest, now: Clock) => Promise<Request>;
  readonly exchange?: (client: ProviderClient, ask: ExchangeRequest) => Promise<Request>;
}

/** What each provider is asked, for a token of one's own and for one on behalf of a user. */
export const directGrants: Readonly<Record<IssuingProvider, Grants>> = {
  entra_id: {
    // RFC 6749 section 4.4
    machine: (client, ask) =>
      request(client, { grant_type: grantTypes.clientCredentials, scope: entraScope(ask.target) }),
    // Microsoft's on-behalf-of, over RFC 7523 section 2.1
    exchange: (client, ask) =>
      request(client, {
        grant_type: grantTypes.jwtBearer,
        requested_token_use: "on_behalf_of",
        assertion: ask.userToken,
        scope: entraScope(ask.target),
      }),
  },
  tokenx: {
    // RFC 8693 section 2.1
    exchange: (client, ask) =>
      request(client, {
        grant_type: grantTypes.tokenExchange,
        subject_token: ask.userToken,
        subject_token_type: tokenTypes.jwt,
        audience: ask.target,
      }),
  },
  // RFC 7523 section 2.1
  maskinporten: { machine: maskinportenRequest },
};

function request(client: ProviderClient, params: Readonly<Record<string, string>>): Promise<Request> {
  return buildTokenRequest({ endpoint: client.tokenEndpoint, params, auth: client.auth });
}

/** `cluster:namespace:app` by Entra ID's name for it; any other target is a scope already. */
function entraScope(target: string): string {
  return /^[a-z0-9-]+:[a-z0-9-]+:[a-z0-9-]+$/.test(target)
    ? `api://${target.replaceAll(":", ".")}/.default`
    : target;
}

/** The assertion is the request: it authenticates the client, names the scopes, and works once (MP-012). */
async function maskinportenRequest(
  client: ProviderClient,
  ask: MachineTokenRequest,
  now: Clock,
): Promise<Request> {
  if (client.signer === undefined) throw new Fault("bad_key", "Maskinporten needs a signing key");
  const iat = Math.floor(now());
  const assertion = await client.signer.sign({
    iss: client.clientId,
    aud: client.issuer,
    iat,
    exp: iat + 30,
    jti: randomToken(),
    scope: ask.target,
    ...(ask.resource !== undefined && { resource: [ask.resource] }),
    ...(ask.authorizationDetails !== undefined && { authorization_details: ask.authorizationDetails }),
  });
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: { grant_type: grantTypes.jwtBearer, assertion },
    auth: () => Promise.resolve(),
  });
}
