/**
 * The token API: runs beside an application, on loopback, and does the OAuth for it.
 *
 * Owns: the three endpoints, the memory of tokens got and of tokens verified, retries, circuit breakers, who may call.
 * Does not own: how a provider is spoken to (packages/providers), signatures and verification (packages/oauth).
 * Request path: listener -> app (callers, route table) -> token | exchange -> acquire (cache, breaker, retry) -> provider;
 *   or -> introspect -> validate (memory, verify) -> dpop (possession) -> validate (require).
 * Spec: RFC 6749, RFC 7523, RFC 7662, RFC 8693, RFC 9449; spec page "Token API".
 */
export { metrics, spans } from "./observed.ts";
export { settings } from "./settings.ts";
export { check, start, type StartOptions } from "./start.ts";
