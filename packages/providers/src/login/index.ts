/**
 * Owns: what signing in takes at each provider: scopes, levels and their order, locale, variables of the platform.
 * Does not own: the OpenID Connect flow itself, sessions, settings (apps/login).
 * Request path: apps/login looks its provider up here once, at start.
 * Spec: OpenID Connect Core; the providers' documentation.
 */
import { entraLogin } from "./entra.ts";
import type { LoginHabits } from "./habits.ts";
import { idportenLogin } from "./idporten.ts";
import { openidLogin } from "./openid.ts";

export { levelOf, levelSuffices, type LoginHabits } from "./habits.ts";

/** Every provider that the login proxy signs in with. */
export const loginHabits = {
  idporten: idportenLogin,
  entra: entraLogin,
  openid: openidLogin,
} as const satisfies Record<string, LoginHabits>;

export type LoginProviderName = keyof typeof loginHabits;

/** Finds a provider's habits by its name or an alias. */
export function findLoginHabits(name: string): LoginHabits | undefined {
  return Object.values(loginHabits).find((one) => one.name === name || one.aliases.includes(name));
}
