/**
 * What went wrong, in words: every code that the platform or its providers can give, and every claim of their tokens.
 *
 * Owns: cause, owner and fix of each code; what a text is that somebody wants explained; what a claim means; whether a
 * token of a known issuer holds.
 * Does not own: the codes themselves (oauth, policy, providers, sdk), decisions (policy), where answers are shown.
 * Request path: none; the command and the console ask here when somebody asks them.
 * Spec: none.
 */
export { meaningOf, tables } from "./codes.ts";
export type { Known } from "./codes.ts";
export { errorsMarkdown } from "./page.ts";
export { subjectOf } from "./subject.ts";
export type { Subject } from "./subject.ts";
export { span, wordsFor } from "./token/claims.ts";
export { issuerAt, issuerOf, verifyWith } from "./token/issuers.ts";
export type { KnownIssuer, Verdict } from "./token/issuers.ts";
