import { localKeySet } from "@portvakt/oauth";
import type { JWK, SignatureAlgorithm } from "@portvakt/oauth";
import type { RegisteredClient } from "@portvakt/issuer";
import { createPolicy } from "@portvakt/policy";
import type { InboundRule, Target } from "@portvakt/policy";

/** How tokens for an application are to look. */
export interface TokenWishes {
  readonly typ: "JWT" | "at+jwt";
  readonly alg?: SignatureAlgorithm;
  /** Only tokens that are bound to the caller's key (RFC 9449); absent = where the caller brings a proof. */
  readonly dpop?: "required";
}

/** What is kept of a registration. */
export interface Registration {
  readonly clientId: string;
  readonly clientName?: string;
  readonly jwks: { readonly keys: readonly JWK[] };
  /** As it was sent; RFC 7591 section 3.2.1 wants it back. */
  readonly softwareStatement: string;
  /** Who may have a token for this application. */
  readonly inbound: readonly InboundRule[];
  /** This application's own client ids at subject token issuers, by issuer: tokens made for those are its own. */
  readonly subjectClients: Readonly<Record<string, readonly string[]>>;
  readonly token: TokenWishes;
  /** This application's own requests must carry a DPoP proof (RFC 9449 section 5.2). */
  readonly dpopBound?: true;
  /** `iat` of the software statement, seconds. */
  readonly statedAt: number;
}

/** A registered application: a client, and a target. */
export interface Application extends RegisteredClient {
  readonly registration: Registration;
  /** The inbound rules, ready for decisions. */
  readonly target: () => Target | undefined;
}

/** Makes an application of its registration. Keys and rules are made ready when first used: most are not, at start. */
export function toApplication(registration: Registration): Application {
  const { clientId, jwks, inbound } = registration;
  let target: Target | undefined;
  return {
    id: clientId,
    authMethods: ["private_key_jwt"],
    keys: localKeySet(jwks.keys),
    registration,
    target: () => (target ??= createPolicy([{ id: clientId, inbound }]).target(clientId)),
  };
}
