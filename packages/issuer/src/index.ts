/**
 * What an authorization server is made of.
 *
 * Owns: the token endpoint's pipeline, the shape of a grant, client authentication, the judgement of client assertions,
 * endpoints for authenticated clients, signing keys and their rotation, metadata and key set documents, replay memory,
 * throttling.
 * Does not own: any grant, storage, routes, settings; what a provider's habits are.
 * Request path: token-endpoint -> client-authentication -> client-assertion -> (the server's grant) -> signing-keys.
 * Spec: RFC 6749 section 3.2, RFC 7523 (with 7523bis), RFC 8414, RFC 7517.
 */
export { assertionRefusals, judgeClientAssertion } from "./client-assertion.ts";
export type {
  AssertionRefusal,
  AssertionRefusalCode,
  AssertionResult,
  AssertionRules,
} from "./client-assertion.ts";
export {
  clientAuthenticator,
  ClientRefused,
  clientRefusals,
  readCredentials,
} from "./client-authentication.ts";
export type { ClientAuthenticatorOptions, ClientRefusalCode } from "./client-authentication.ts";
export { clientEndpoint } from "./client-endpoint.ts";
export type { ClientEndpointOptions } from "./client-endpoint.ts";
export { readBounded, readFormRequest } from "./form-request.ts";
export type { FormRequest } from "./form-request.ts";
export { documentHandler, jwksHandler, metadataDocument } from "./metadata.ts";
export type { MetadataOptions } from "./metadata.ts";
export { memoryReplay } from "./replay.ts";
export { rotatingSigningKeys } from "./keys/rotating-keys.ts";
export type { RotatingKeysOptions, RotatingSigningKeys, SigningKeyStore } from "./keys/rotating-keys.ts";
export type { RotationPolicy, StoredKey } from "./keys/rotation-plan.ts";
export { fixedSigningKeys } from "./keys/signing-keys.ts";
export type { PublicJwk, SigningKeys } from "./keys/signing-keys.ts";
export { pausing, Throttled, throttle } from "./throttle.ts";
export type { Throttle } from "./throttle.ts";
export { tokenEndpoint } from "./token-endpoint.ts";
export { turns } from "./turns.ts";
export type { TakeTurns } from "./turns.ts";
export { toProtocolError, writeProtocolError } from "./write-error.ts";
export type { TokenEndpointOptions } from "./token-endpoint.ts";
export { clientAuthMethods } from "./types.ts";
export type {
  AuditEvent,
  AuthenticateClient,
  ClaimOnce,
  ClientAuthMethod,
  Grant,
  Granted,
  GrantContext,
  PolicyAnswer,
  PolicyQuestion,
  RegisteredClient,
  TokenAnswer,
  TokenRequest,
} from "./types.ts";
