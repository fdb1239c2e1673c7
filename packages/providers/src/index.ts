/**
 * The client's side of each provider: ID-porten, Entra ID, Maskinporten, TokenX, and any other by configuration.
 *
 * Owns: how each provider is asked for tokens, how its answers and its tokens are judged, what its error codes mean.
 * Does not own: the network (callers fetch between build and judge), caching, retries, settings, sign-in sessions.
 * Request path: apps/tokens -> table -> a provider's grant: build -> fetch -> judge; apps/login -> login habits.
 * Spec: RFC 6749 section 4.4, RFC 7521, RFC 7523, RFC 7662, RFC 8693, RFC 9068, and the providers' own documentation.
 */
export * from "./provider.ts";
export { providers, type ProviderName } from "./table.ts";
export { entraScope } from "./entra.ts";
export { exchangeGrants, machineGrants, openidProvider, type OpenIdHabits } from "./openid.ts";
export { lifetimeSeconds } from "./answers.ts";
export { createProofMaker, type MakeProof, type ProofSubject } from "./dpop.ts";
export {
  buildIntrospectionRequest,
  IntrospectionRefused,
  judgeIntrospectionResponse,
  type IntrospectionAnswer,
} from "./introspection.ts";
export { entraErrors } from "./explain/entra-errors.ts";
export { maskinportenErrors } from "./explain/maskinporten.ts";
export { tokenxErrors } from "./tokenx.ts";
export type { ErrorRow } from "./explain/row.ts";
export * from "./login/index.ts";
