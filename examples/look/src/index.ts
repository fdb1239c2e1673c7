/**
 * Owns: how the pages of the example applications look, what an API tells about its callers, one bounded request to another
 * API, and the trace that goes along.
 * Does not own: anything of Portvakt. An application of yours needs none of this.
 * Request path: an application's route -> askJson() -> showPage(); the guard of an API -> Visits.add() -> visitsList().
 * Spec: none; plain HTML that works without JavaScript, wide and narrow, light and dark.
 */
export { callerName, callFacts, personOf, seenCall, type SeenCall } from "./calls.ts";
export { askJson, troubleStatus, type Answer } from "./ask.ts";
export { showPage, type PageOptions } from "./page.ts";
export { chain, facts, type Hop } from "./parts.ts";
export { passOnTraces } from "./traces.ts";
export { createVisits, maskPerson, visitsList, type Visit, type Visits } from "./visits.ts";
