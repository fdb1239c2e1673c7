import type { Ingress } from "../request/ingress.ts";
import type { CheckedRedirect } from "../request/redirect.ts";

/** What an API asks for that finds a user's authentication too weak or too old (RFC 9470 section 3). */
export interface StepUp {
  /** Any of these levels will do, the first preferred. */
  readonly levels: readonly string[];
  readonly maxAgeSeconds: number | undefined;
}

/**
 * Reads a step-up challenge of RFC 9470 section 3 from `WWW-Authenticate`.
 * Checks: the Bearer scheme, the error code, that it asks for a level or an age. Does not check: that the provider knows the level.
 * Returns undefined for every other challenge.
 */
export function readStepUp(header: string | undefined): StepUp | undefined {
  if (header === undefined || header.length > 2000 || !/^bearer\s/i.test(header)) return undefined;
  const parameters = new Map<string, string>();
  for (const [, name = "", quoted, plain] of header
    .slice(7)
    .matchAll(/([a-z_]+)\s*=\s*(?:"([^"\\]*)"|([^\s,"]+))/gi))
    if (!parameters.has(name.toLowerCase())) parameters.set(name.toLowerCase(), quoted ?? plain ?? "");
  if (parameters.get("error") !== "insufficient_user_authentication") return undefined;
  const levels = (parameters.get("acr_values") ?? "")
    .split(" ")
    .filter((level) => /^[\w.:/-]{1,100}$/.test(level));
  const age = parameters.get("max_age");
  const maxAgeSeconds = age !== undefined && /^\d{1,6}$/.test(age) ? Number(age) : undefined;
  return levels.length === 0 && maxAgeSeconds === undefined ? undefined : { levels, maxAgeSeconds };
}

/** Where a user signs in once more, at the level that was asked for, to come back to the same page. */
export function stepUpLocation(
  stepUp: StepUp,
  at: Ingress,
  target: CheckedRedirect,
  provider: string,
): string {
  const query = new URLSearchParams({ redirect: target, provider });
  const [level] = stepUp.levels;
  if (level !== undefined) query.set("level", level);
  if (stepUp.maxAgeSeconds !== undefined) query.set("max_age", String(stepUp.maxAgeSeconds));
  return `${at.prefix}/oauth2/login?${query.toString()}`;
}
