/**
 * The console: applications, who may call whom, what was decided last and why, and what a code or a token means, in a browser.
 *
 * Owns: its pages, who may look at them, and where their contents come from. It changes nothing anywhere.
 * Does not own: decisions and the picture of who may call whom (packages/policy), what codes and claims mean
 * (packages/explain), the decision log and the registry (apps/tokenx, asked over HTTP as its reader).
 * Request path: guard -> app (the route table) -> pages/ -> data/ (manifests, TokenX, health).
 * Spec: HTML that works without JavaScript; WCAG 2.2 AA.
 */
export { check, settings } from "./settings.ts";
export { start } from "./start.ts";
