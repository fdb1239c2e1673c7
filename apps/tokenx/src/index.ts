/**
 * TokenX: the authorization server that exchanges a token for one made for the next application in the chain.
 *
 * Owns: the token exchange grant, subject tokens and the actor chain, the registry of applications, its own routes and settings.
 * Does not own: the token endpoint's pipeline and client authentication (packages/issuer), access policy (packages/policy),
 * verifying and signing (packages/oauth).
 * Request path: app -> issuer's token endpoint -> registry -> grants/token-exchange -> subject/judge -> policy -> signing keys.
 * Spec: RFC 8693, RFC 8414, RFC 7591, RFC 7523.
 */
export { metrics, spans } from "./observed.ts";
export { settings } from "./settings.ts";
export { replaceSigningKeys, start } from "./start.ts";
