/**
 * The login proxy: a browser's session on one side, a bearer token on the other.
 *
 * Owns: signing users in and out with OpenID providers, their sessions, what of a request reaches the application.
 * Does not own: users (providers do), tokens for other applications (apps/tokens), the store and sealing (runtime), the protocol's
 *   wire shapes and judging of tokens (packages/oauth), what providers have of their own (packages/providers).
 * Request path: app.ts -> endpoints/ under `<ingress>/oauth2`; everything else proxy/gate.ts -> session/admission.ts ->
 *   proxy/headers.ts -> proxy/forward.ts. In a single sign-on over a domain, sso/ stands in for what another process does.
 * Spec: RFC 6749, 7009, 7636, 9110, 9126, 9207, 9700; OpenID Connect Core, RP-Initiated, Front-Channel and Back-Channel Logout 1.0.
 */
export { settings, type LoginSettings } from "./settings/settings.ts";
export { unreadNames, withStandardNames as environment } from "./settings/baseline.ts";
export { metrics } from "./observed.ts";
export { check, start } from "./start.ts";
