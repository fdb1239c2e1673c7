/**
 * Owns: the protocol. Names, wire shapes, metadata, client authentication, verifying and signing of tokens, errors.
 * Does not own: servers (issuer, apps), a provider's habits (providers), policy, storage, settings. No disk, no process:
 *   everything here also runs in a browser or at the edge.
 * Request path: whoever sends builds with client/ and judges the answer with the other half of the pair; whoever receives
 *   parses with form.ts and verifies with jwt/ and dpop/.
 * Spec: RFC 6749, 7515, 7517, 7519, 7523, 7636, 8414, 8693, 8725, 9126; OpenID Connect Core, Discovery, Back-Channel Logout.
 */
export type { JWK } from "jose";
export type { Clock } from "./clock.ts";
export { clientAssertionType, grantTypes, tokenTypes, type GrantType, type TokenType } from "./names.ts";
export {
  Fault,
  ProtocolError,
  ReportedError,
  faults,
  protocolErrors,
  type FaultCode,
  type ProtocolErrorCode,
} from "./errors.ts";
export { parseForm, printable, type FormParams } from "./form.ts";
export { createPkce, verifyPkce, type Pkce } from "./pkce.ts";
export { equalConstantTime, randomToken, sha256 } from "./random.ts";
export { isSignatureAlgorithm, signatureAlgorithms, type SignatureAlgorithm } from "./jwt/algorithms.ts";
export type { JwtClaims } from "./jwt/claims.ts";
export { createSigner, generatePrivateJwk, publicJwkOf, type Signer } from "./jwt/keys.ts";
export type { SigningKey, VerificationKey } from "./jwt/signature.ts";
export { localKeySet, type KeyLookup, type KeySet } from "./jwt/key-set.ts";
export { remoteKeySet, type RemoteKeySet, type RemoteKeySetOptions } from "./jwt/remote-key-set.ts";
export {
  anyAudience,
  audiencesOf,
  peekJwt,
  type PeekedJwt,
  tokenRefusals,
  verifyJwt,
  type TokenRefusal,
  type TokenRefusalCode,
  type VerifiedToken,
  type VerifyResult,
  type VerifyRules,
} from "./jwt/verify.ts";
export { judgeDpopProof, type ProofExpectations, type ProofResult } from "./dpop/proof.ts";
export { judgeIdToken, type IdTokenExpectations } from "./jwt/id-token.ts";
export { backChannelLogoutEvent, judgeLogoutToken } from "./jwt/logout-token.ts";
export {
  clientAssertion,
  clientSecretBasic,
  clientSecretPost,
  privateKeyJwt,
  publicClient,
  type ClientAuth,
  type PrivateKeyJwtOptions,
} from "./client/client-auth.ts";
export { readJson } from "./client/answer.ts";
export {
  buildFormRequest,
  buildTokenRequest,
  judgeJsonAnswer,
  judgeTokenResponse,
  type FormRequest,
  type TokenResponse,
} from "./client/token-request.ts";
export { buildPushedRequest, judgePushedResponse } from "./client/pushed-request.ts";
export {
  authorizationServerMetadataUrl,
  fetchMetadata,
  openidConfigurationUrl,
  type ServerMetadata,
} from "./client/metadata.ts";
