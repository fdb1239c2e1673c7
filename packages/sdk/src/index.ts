/**
 * The SDK for applications.
 *
 * Owns: validating the tokens that callers send, the guards of a route, the answers that refusals deserve, asking the
 * token API for tokens, reading claims under the names that applications use.
 * Does not own: verifying signatures (oauth), the token API itself (apps/tokens), signing users in (login).
 * Request path: middleware/<framework>.ts -> middleware/judge.ts -> validate.ts (settings, providers) -> guards.ts;
 * outbound: sdk.ts -> token-api.ts, or direct/ where there is no token API.
 * Spec: RFC 6750, RFC 9470, RFC 9728, RFC 9457, RFC 8725; the platform's NAIS_TOKEN_* endpoints.
 */
import { processSdk } from "./process-sdk.ts";
import { secondsLeft } from "./read.ts";
import type { Sdk } from "./sdk.ts";
import { createNonces } from "./verified/nonces.ts";
import type { DpopNonces } from "./verified/nonces.ts";

export {
  getToken,
  parseAzureUserToken,
  parseIdportenToken,
  parseMaskinportenToken,
  parseTokenxToken,
} from "./read.ts";
export type { ParseResult, TokenSource } from "./read.ts";
export type { Caller, UserClaims } from "./caller.ts";
export type { Guards } from "./guards.ts";
export type { MetadataOptions, ProtectedResourceMetadata } from "./metadata.ts";
export type { CallerKind, ProviderAlias, ProviderName } from "./providers.ts";
export { validationErrors } from "./result.ts";
export type { ChallengeError, Refused, ValidationCode } from "./result.ts";
export { createSdk } from "./sdk.ts";
export type { Sdk, SdkOptions } from "./sdk.ts";
export type { Environment } from "./settings.ts";
export type {
  AcquireCode,
  ExchangeRequest,
  IntrospectionResult,
  MachineTokenRequest,
  NotObtained,
  Obtained,
  ProofRequest,
  ProofResult,
  TokenApi,
  TokenResult,
} from "./token-api.ts";
export type { DpopNonces } from "./verified/nonces.ts";
export type { PossessionProof } from "./verified/proof.ts";
export type { Accepted, ValidateOptions, ValidateToken, ValidationResult } from "./validate.ts";

/**
 * Validates an access token from any provider that the platform has set up for this application; its issuer picks which.
 *
 * *Checks*: signature, issuer, audience, times, that it is an access token and not bound to a key, and the guards in
 * `options`. *Does not check*: revocation, or anything that `options` does not ask for. *Throws*: nothing.
 */
export const validateToken: Sdk["validateToken"] = (...args) => processSdk().validateToken(...args);

/** `validateToken`, for ID-porten alone. */
export const validateIdportenToken: Sdk["validateIdportenToken"] = (...args) =>
  processSdk().validateIdportenToken(...args);

/** `validateToken`, for Entra ID (Azure AD) alone. */
export const validateAzureToken: Sdk["validateAzureToken"] = (...args) =>
  processSdk().validateAzureToken(...args);

/** `validateToken`, for TokenX alone. */
export const validateTokenxToken: Sdk["validateTokenxToken"] = (...args) =>
  processSdk().validateTokenxToken(...args);

/** `validateToken`, for Maskinporten alone. `scope` is required: these tokens have no audience that would say whom they are for. */
export const validateMaskinportenToken: Sdk["validateMaskinportenToken"] = (...args) =>
  processSdk().validateMaskinportenToken(...args);

/**
 * Exchanges the caller's token for one to call `target` with, on behalf of the same user: at Entra ID for its own tokens,
 * at TokenX for the others. Throws nothing.
 */
export const requestOboToken: Sdk["requestOboToken"] = (...args) => processSdk().requestOboToken(...args);

/** `requestOboToken` at TokenX (RFC 8693): `target` is `cluster:namespace:application`. */
export const requestTokenxOboToken: Sdk["requestTokenxOboToken"] = (...args) =>
  processSdk().requestTokenxOboToken(...args);

/** `requestOboToken` at Entra ID: `target` is `cluster:namespace:application` or `api://…/.default`. */
export const requestAzureOboToken: Sdk["requestAzureOboToken"] = (...args) =>
  processSdk().requestAzureOboToken(...args);

/** A token to call another application with as oneself, from Entra ID (RFC 6749 section 4.4). */
export const requestAzureClientCredentialsToken: Sdk["requestAzureClientCredentialsToken"] = (...args) =>
  processSdk().requestAzureClientCredentialsToken(...args);

/** A token to call another organisation with, from Maskinporten (RFC 7523 section 2.1). `scope`: words with spaces between. */
export const requestMaskinportenToken: Sdk["requestMaskinportenToken"] = (...args) =>
  processSdk().requestMaskinportenToken(...args);

/** The token API's `/token`, for any provider. */
export const getMachineToken: Sdk["getMachineToken"] = (...args) => processSdk().getMachineToken(...args);

/** The token API's `/token/exchange`, for any provider. */
export const exchangeToken: Sdk["exchangeToken"] = (...args) => processSdk().exchangeToken(...args);

/** The token API's `/introspect`: validation by the token API instead of in this process. */
export const introspect: Sdk["introspect"] = (...args) => processSdk().introspect(...args);

/** The token API's `/dpop-proof`: what goes into the `DPoP` header of one request with a token of type `DPoP` (RFC 9449). */
export const dpopProof: Sdk["dpopProof"] = (...args) => processSdk().dpopProof(...args);

/** The metadata document of this API (RFC 9728), with the issuers that the platform has set up for it. */
export const protectedResourceMetadata: Sdk["protectedResourceMetadata"] = (...args) =>
  processSdk().protectedResourceMetadata(...args);

/**
 * Nonces to want in DPoP proofs (RFC 9449 section 9), for `requireToken`'s `dpop`. They live for five minutes and nobody has to
 * remember them. `secret`: 32 characters at least, the same at every replica. *Throws*: TypeError for a shorter one.
 */
export function dpopNonces(secret: string): DpopNonces {
  return createNonces(secret, () => processSdk().now());
}

/** Seconds until `token` expires by its own account; 0 where it has, says nothing, or is no JWT. Nothing is verified. */
export function expiresIn(token: string): number {
  return secondsLeft(token, processSdk().now());
}
