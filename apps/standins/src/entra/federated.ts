import { localKeySet, peekJwt, remoteKeySet, verifyJwt, type JwtClaims, type KeySet } from "@portvakt/oauth";
import type { AuthenticateClient, TokenRequest } from "@portvakt/issuer";
import type { Parts } from "../standin.ts";
import type { Directory, EntraRegistered } from "./directory.ts";
import { entraError, unknownApplication } from "./errors.ts";

type Credential = EntraRegistered["registration"]["federated_credentials"][number];

/**
 * Client authentication by a token of another issuer (workload identity federation): the application registered that
 * issuer, the subject and the audience, and needs no secret of its own. Everything else goes to `otherwise`.
 *
 * Checks: that the record matches letter by letter, the signature by the issuer's keys, times. The same token may be
 * sent again while it lives, as a workload's token is.
 */
export function withFederation(
  parts: Parts,
  directory: () => Directory,
  belongs: (client: EntraRegistered) => boolean,
  otherwise: AuthenticateClient<EntraRegistered>,
): AuthenticateClient<EntraRegistered> {
  const keys = keysByRecord(parts);
  return async (request) => {
    const claims = foreignAssertion(request);
    if (claims === undefined) return otherwise(request);
    const id = request.params.one("client_id") ?? "";
    const client = directory().find(id);
    if (client === undefined || !belongs(client)) throw unknownApplication(id);
    const record = matchingRecord(client, claims);
    const result = await verifyJwt(
      request.params.one("client_assertion") ?? "",
      {
        issuer: record.issuer,
        audience: record.audience,
        keys: keys(record),
        algorithms: ["RS256", "ES256"],
        required: ["iss", "sub", "aud", "exp"],
        toleranceSeconds: 300,
      },
      parts.now,
    );
    if (result.ok) return client;
    if (result.refusal.code === "expired" || result.refusal.code === "not_yet_valid")
      throw entraError(700024, "Client assertion is not within its valid time range.");
    if (result.refusal.code === "wrong_audience")
      throw entraError(
        700212,
        "No matching federated identity record found for presented assertion audience.",
      );
    throw entraError(
      700027,
      `Client assertion failed signature validation. [Reason - ${result.refusal.message}.]`,
    );
  };
}

/** The claims of an assertion that was not made by the client itself; nothing is verified yet. */
function foreignAssertion({ params }: TokenRequest): JwtClaims | undefined {
  const claims = peekJwt(params.one("client_assertion") ?? "")?.claims;
  return claims?.iss !== undefined && claims.iss !== params.one("client_id") && URL.canParse(claims.iss)
    ? claims
    : undefined;
}

function matchingRecord({ registration }: EntraRegistered, claims: JwtClaims): Credential {
  const records = registration.federated_credentials.filter((record) => record.issuer === claims.iss);
  if (records.length === 0)
    throw entraError(
      700211,
      `No matching federated identity record found for presented assertion issuer '${(claims.iss ?? "").slice(0, 200)}'.`,
    );
  const record = records.find((one) => one.subject === claims.sub);
  if (record === undefined)
    throw entraError(
      700213,
      `No matching federated identity record found for presented assertion subject '${(claims.sub ?? "").slice(0, 200)}'.`,
    );
  return record;
}

/** Keys that a record brings, or those at its issuer's address; kept, so that they are fetched once. */
function keysByRecord(parts: Parts): (record: Credential) => KeySet {
  const made = parts.registry.derived(() => new Map<Credential, KeySet>());
  return (record) => {
    const known = made().get(record);
    if (known !== undefined) return known;
    const brought: readonly { kty: string }[] | undefined = record.jwks?.keys;
    const keys =
      brought === undefined
        ? remoteKeySet({ uri: record.jwks_uri ?? record.issuer, now: parts.now, fetch: parts.fetch })
        : localKeySet(brought);
    made().set(record, keys);
    return keys;
  };
}
