import type { LoginHabits } from "./habits.ts";

/** ID-porten: citizens. Levels in order, the older names `Level3` and `Level4`, no logout here alone. */
export const idportenLogin: LoginHabits = {
  name: "idporten",
  aliases: [],
  title: "ID-porten",
  variables: {
    clientId: "IDPORTEN_CLIENT_ID",
    clientJwk: "IDPORTEN_CLIENT_JWK",
    wellKnownUrl: "IDPORTEN_WELL_KNOWN_URL",
  },
  scopes: () => ["openid"],
  levels: ["idporten-loa-low", "idporten-loa-substantial", "idporten-loa-high"],
  levelAliases: { Level3: "idporten-loa-substantial", Level4: "idporten-loa-high" },
  defaultLevel: "idporten-loa-high",
  defaultLocale: "nb",
  localLogout: false,
  tenants: false,
};
