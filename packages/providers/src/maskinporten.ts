import {
  buildTokenRequest,
  Fault,
  grantTypes,
  randomToken,
  type JwtClaims,
  type VerifiedToken,
} from "@portvakt/oauth";
import { objectToIdToken, objectToType } from "./access-token.ts";
import { judgeIssuedToken, noClientAuth } from "./answers.ts";
import { explainMaskinporten } from "./explain/maskinporten.ts";
import type { MachineTokenAsk, Provider, ProviderClient } from "./provider.ts";

/** Maskinporten accepts up to 120 s; a short life leaves a stolen assertion little use. */
const assertionSeconds = 30;

/**
 * JWT grant (RFC 7523 section 2.1). The assertion authenticates the client and carries the whole request; there is no
 * `sub`, and each assertion works once (MP-012).
 */
async function buildGrant(client: ProviderClient, ask: MachineTokenAsk): Promise<Request> {
  if (client.signer === undefined) throw new Fault("bad_key", "Maskinporten needs a signing key");
  const assertion = await client.signer.sign(grantClaims(client, ask, client.now()));
  return buildTokenRequest({
    endpoint: client.tokenEndpoint,
    params: { grant_type: grantTypes.jwtBearer, assertion },
    auth: noClientAuth,
  });
}

function grantClaims(client: ProviderClient, ask: MachineTokenAsk, now: number): JwtClaims {
  const iat = Math.floor(now);
  return {
    iss: client.clientId,
    aud: client.issuer,
    iat,
    exp: iat + assertionSeconds,
    jti: randomToken(),
    scope: ask.target,
    ...(ask.resource === undefined ? {} : { resource: [...ask.resource] }),
    ...(ask.authorizationDetails === undefined
      ? {}
      : { authorization_details: [...ask.authorizationDetails] }),
    ...(ask.consumerOrg === undefined ? {} : { consumer_org: ask.consumerOrg }),
    ...(ask.pid === undefined ? {} : { pid: ask.pid }),
  };
}

function objection(token: VerifiedToken): string | undefined {
  return objectToType(token) ?? objectToIdToken(token.claims);
}

/** Maskinporten: organisation to organisation. */
export const maskinporten: Provider = {
  name: "maskinporten",
  title: "Maskinporten",
  aliases: [],
  token: { build: buildGrant, judge: judgeIssuedToken },
  introspection: {
    // Tokens have no `aud` unless the consumer asked for a resource: the audience is `anyAudience` without configuration.
    rules: ({ issuer, audience, keys }) => ({
      issuer,
      audience,
      keys,
      algorithms: ["RS256", "RS384", "RS512"],
    }),
    objection,
    // Also where a token names a person (`pid`): an organisation calls about them.
    kind: () => "machine",
  },
  explain: explainMaskinporten,
};
