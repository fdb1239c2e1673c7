/**
 * Owns: how the pages of the example applications look, and the list of visits that an API shows on its page.
 * Does not own: anything of Portvakt. An application of yours needs none of this.
 * Request path: an application's route -> page() -> HTML; guard of an API -> Visits.add() -> visitsTable().
 * Spec: none; plain HTML that works without JavaScript, wide and narrow, light and dark.
 */
export { contentSecurityPolicy, page, type PageOptions } from "./page.ts";
export { chain, facts, type Hop } from "./parts.ts";
export { createVisits, maskPerson, visitsTable, type Visit, type Visits } from "./visits.ts";
