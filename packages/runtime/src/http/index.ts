/**
 * Owns: listening, bounds on what is read, the one exit for errors, draining; liveness, readiness and metrics.
 * Does not own: routes and what they answer.
 * Request path: socket -> node's strict parser -> serve -> the app's fetch handler -> Response, or problem+json for what it throws.
 * Spec: RFC 9112 (parsing and framing), RFC 9457 (problem details).
 */
export { serve } from "./serve.ts";
export type { FetchHandler, HttpServer, ServeOptions } from "./serve.ts";
export { serveStatus } from "./status.ts";
export type { Readiness, ReadinessCheck, StatusOptions } from "./status.ts";
export { readBody } from "./body.ts";
export { answerUnderWay } from "./refuse.ts";
export { HttpProblem, problem } from "./problem.ts";
export type { ProblemDetails } from "./problem.ts";
