/** What signing in with one provider takes beyond OpenID Connect itself. */
export interface LoginHabits {
  readonly name: string;
  /** What the baseline's settings call it. */
  readonly aliases: readonly string[];
  /** The name as people write it. */
  readonly title: string;
  /** The variables that the platform injects for this provider, read where ours are not set. */
  readonly variables:
    | { readonly clientId: string; readonly clientJwk: string; readonly wellKnownUrl: string }
    | undefined;
  /** Scopes that are asked for, besides those that the settings add. */
  readonly scopes: (clientId: string) => readonly string[];
  /** Authentication levels (`acr`), weakest first; empty where the provider has no order of its own. */
  readonly levels: readonly string[];
  /** Older names of levels, and what they mean. */
  readonly levelAliases: Readonly<Record<string, string>>;
  readonly defaultLevel: string | undefined;
  readonly defaultLocale: string | undefined;
  /** Whether a session may end here alone, leaving the provider's: not where the provider's rules forbid it. */
  readonly localLogout: boolean;
  /** Whether the issuer may hold the placeholder `{tenantid}`, to be filled from the `tid` claim. */
  readonly tenants: boolean;
}

/** The provider's own name for a level, whatever name it goes by; unknown names stay as they are. */
export function levelOf(habits: LoginHabits, level: string): string {
  return Object.hasOwn(habits.levelAliases, level) ? (habits.levelAliases[level] ?? level) : level;
}

/**
 * Whether a session's `acr` is at or above the level asked for.
 * Checks: the provider's order of levels; equality where it has none. Does not check: that the claim was verified.
 */
export function levelSuffices(habits: LoginHabits, actual: string | undefined, required: string): boolean {
  if (actual === undefined) return false;
  const have = levelOf(habits, actual);
  const need = levelOf(habits, required);
  const rank = habits.levels.indexOf(need);
  return have === need || (rank !== -1 && habits.levels.indexOf(have) > rank);
}
