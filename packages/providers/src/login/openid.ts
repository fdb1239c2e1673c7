import type { LoginHabits } from "./habits.ts";

/** Any other OpenID provider: only what the standard says and the settings add. */
export const openidLogin: LoginHabits = {
  name: "openid",
  aliases: ["oidc"],
  title: "OpenID Connect",
  variables: undefined,
  scopes: () => ["openid"],
  levels: [],
  levelAliases: {},
  defaultLevel: undefined,
  defaultLocale: undefined,
  localLogout: true,
  tenants: false,
};
