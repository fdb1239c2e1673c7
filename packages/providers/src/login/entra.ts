import type { LoginHabits } from "./habits.ts";

/** Entra ID (Azure AD): employees. The access token is asked for the application itself; a refresh token comes by scope. */
export const entraLogin: LoginHabits = {
  name: "entra",
  aliases: ["azure", "azuread", "entra_id"],
  title: "Entra ID",
  variables: {
    clientId: "AZURE_APP_CLIENT_ID",
    clientJwk: "AZURE_APP_JWK",
    wellKnownUrl: "AZURE_APP_WELL_KNOWN_URL",
  },
  scopes: (clientId) => ["openid", `api://${clientId}/.default`, "offline_access"],
  levels: [],
  levelAliases: {},
  defaultLevel: undefined,
  defaultLocale: undefined,
  localLogout: true,
  tenants: true,
};
