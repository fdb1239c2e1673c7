import type { Application } from "../application.ts";
import { createPolicy } from "../policy.ts";
import type { Policy } from "../policy.ts";

/** What a set of manifests declares: the applications by id, and the policy that their rules make. */
export interface Landscape {
  readonly applications: ReadonlyMap<string, Application>;
  readonly policy: Policy;
  /** Every application that any provider knows is here; without it, others may be declared elsewhere. */
  readonly complete: boolean;
}

/** Of two applications with one id the first counts, as in the policy. */
export function createLandscape(
  applications: Iterable<Application>,
  options: { readonly newDecisionId?: () => string; readonly complete?: boolean } = {},
): Landscape {
  const byId = new Map<string, Application>();
  for (const application of applications) {
    if (!byId.has(application.id)) byId.set(application.id, application);
  }
  const policy = createPolicy(byId.values(), options);
  return { applications: byId, policy, complete: options.complete ?? false };
}
