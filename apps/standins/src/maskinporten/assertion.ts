import { localKeySet, peekJwt, verifyJwt, type JwtClaims, type KeySet } from "@portvakt/oauth";
import type { AuthenticateClient, ClaimOnce, RegisteredClient } from "@portvakt/issuer";
import { credentialsOf } from "../registry.ts";
import type { MaskinportenClient } from "../registrations.ts";
import type { Parts } from "../standin.ts";
import { judgeCertificates } from "./certificate.ts";
import { maskinportenError, refusedGrant } from "./errors.ts";

/** A client of Maskinporten. */
export interface MaskinportenRegistered extends RegisteredClient {
  readonly registration: MaskinportenClient;
}

/** A client whose grant was verified, with what the grant says. */
export interface MaskinportenCaller extends MaskinportenRegistered {
  readonly grant: JwtClaims;
  /** How it proved itself: `client_amr` of the token. */
  readonly method: "private_key_jwt" | "virksomhetssertifikat";
}

export interface AssertionContext {
  readonly parts: Parts;
  readonly issuer: string;
  readonly find: (id: string) => MaskinportenRegistered | undefined;
  readonly claimJti: ClaimOnce;
}

/** Seconds that `iat` may differ from the server's clock. */
const tolerance = 10;
/** Longest `exp - iat`, seconds. */
const longestLife = 120;

/** The clients in force, by id. */
export function maskinportenClients(parts: Parts): (id: string) => MaskinportenRegistered | undefined {
  const byId = parts.registry.derived(
    ({ maskinporten }) =>
      new Map(
        maskinporten.clients.map((client) => [
          client.client_id,
          { id: client.client_id, ...credentialsOf(client), registration: client },
        ]),
      ),
  );
  return (id) => byId().get(id);
}

/**
 * The grant is also the client's authentication (RFC 7523 section 2.1): there is no other.
 *
 * Checks: `kid` names a registered key, or `x5c` is a chain of the client's organisation; the signature, `aud` is the issuer and nothing else, `iat` within 10 seconds of
 * now, `exp - iat` at most 120 seconds, `jti` (when given, else the grant itself) never used before.
 * Does not check: scopes and what else the grant asks for. Throws: ProtocolError with an MP code.
 */
export function authenticateByGrant(context: AssertionContext): AuthenticateClient<MaskinportenCaller> {
  return async ({ params }) => {
    const assertion = params.one("assertion");
    if (assertion === undefined) throw maskinportenError("MP-011", "assertion is missing");
    const peeked = peekJwt(assertion);
    if (peeked === undefined) throw maskinportenError("MP-011", "assertion is not a signed JWT");
    const client = context.find(peeked.claims.iss ?? "");
    if (client === undefined) throw maskinportenError("MP-100");
    const { parts, issuer } = context;
    const keys = keysFor(parts, client, peeked.header);
    const result = await verifyJwt(
      assertion,
      {
        issuer: client.id,
        audience: issuer,
        keys,
        ...(keys === client.keys ? {} : { chainJudged: true as const }),
        algorithms: ["RS256", "RS384", "RS512"],
        required: ["iss", "aud", "exp", "iat"],
        toleranceSeconds: tolerance,
      },
      parts.now,
    );
    if (!result.ok) throw refusedGrant(result.refusal);
    const { claims } = result.token;
    checkShape(claims, parts.now());
    const once = claims.jti ?? assertion.split(".")[2] ?? assertion;
    if (!(await context.claimJti(`${client.id}\n${once}`, (claims.exp ?? 0) + tolerance, client.id)))
      throw maskinportenError("MP-012");
    const method = keys === client.keys ? "private_key_jwt" : "virksomhetssertifikat";
    return { ...client, grant: { ...claims }, method };
  };
}

/** The registered keys for a grant with `kid`; the certificate's key for one with `x5c`. */
function keysFor(parts: Parts, client: MaskinportenRegistered, header: Record<string, unknown>): KeySet {
  const { kid, x5c } = header;
  if (x5c !== undefined && kid !== undefined)
    throw maskinportenError("MP-011", "the header has both kid and x5c");
  if (x5c !== undefined) {
    const { certificate_authorities: authorities } = parts.registry.current().maskinporten;
    const { orgno } = client.registration;
    return localKeySet([judgeCertificates(x5c, { authorities, orgno, now: parts.now() })]);
  }
  if (client.keys === undefined) throw maskinportenError("MP-100");
  if (typeof kid !== "string") throw maskinportenError("MP-011", "the header has neither kid nor x5c");
  return client.keys;
}

function checkShape({ aud, iat = 0, exp = 0 }: Readonly<JwtClaims>, now: number): void {
  if (Array.isArray(aud) && aud.length !== 1)
    throw maskinportenError("MP-110", "aud must be the issuer alone");
  if (iat < now - tolerance) throw maskinportenError("MP-011", "iat is more than 10 seconds ago");
  if (exp - iat > longestLife) throw maskinportenError("MP-011", "exp - iat is more than 120 seconds");
  if (exp <= iat) throw maskinportenError("MP-011", "exp is not after iat");
}
