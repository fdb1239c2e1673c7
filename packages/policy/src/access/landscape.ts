import type { Application } from "../application.ts";
import { createPolicy } from "../policy.ts";
import type { Policy } from "../policy.ts";

/** What a set of manifests declares: the applications by id, and the policy that their rules make. */
export interface Landscape {
  readonly applications: ReadonlyMap<string, Application>;
  readonly policy: Policy;
}

/** Of two applications with one id the first counts, as in the policy. */
export function createLandscape(
  applications: Iterable<Application>,
  options: { readonly newDecisionId?: () => string } = {},
): Landscape {
  const byId = new Map<string, Application>();
  for (const application of applications) {
    if (!byId.has(application.id)) byId.set(application.id, application);
  }
  return { applications: byId, policy: createPolicy(byId.values(), options) };
}
