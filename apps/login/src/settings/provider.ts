import { setting } from "@portvakt/runtime/config";
import { signatureAlgorithms, type SignatureAlgorithm } from "@portvakt/oauth";
import { compileProviderPaths } from "../request/exclusions.ts";
import { named, sentence } from "./names.ts";

const signatures = Object.keys(signatureAlgorithms) as [SignatureAlgorithm, ...SignatureAlgorithm[]];

/** Whom users sign in with, and how it is asked. */
export const providerSettings = {
  provider: setting.choice({
    env: named("PROVIDER", "OPENID_PROVIDER"),
    values: ["openid", "idporten", "entra", "azure", "azuread", "entra_id"],
    default: "openid",
    doc: "Whom users sign in with.",
  }),
  providers: setting.list({
    env: named("PROVIDERS", ""),
    of: setting.choice({ env: "provider", doc: "", values: ["idporten", "entra", "openid"] }),
    default: [],
    doc: "Several providers in front of one application, such as idporten,entra; replaces PROVIDER. Users choose, unless ?provider= or a path rule does.",
  }),
  providerPaths: setting.list({
    env: named("PROVIDER_PATHS", ""),
    default: [],
    doc: "Paths that are only for users of one provider, such as /admin/**=entra.",
    check: sentence((rules: readonly string[]) =>
      compileProviderPaths(rules, ["idporten", "entra", "openid"]),
    ),
  }),
  clientId: setting.text({
    env: named("CLIENT_ID", "OPENID_CLIENT_ID"),
    optional: true,
    doc: "Our name at the provider.",
  }),
  wellKnownUrl: setting.url({
    env: named("WELL_KNOWN_URL", "OPENID_WELL_KNOWN_URL"),
    optional: true,
    doc: "Where the provider's metadata is.",
  }),
  clientJwk: setting.secret({
    env: named("CLIENT_JWK", "OPENID_CLIENT_JWK"),
    optional: true,
    doc: "Our private key (JWK) for private_key_jwt; wins over a secret.",
  }),
  clientSecret: setting.secret({
    env: named("CLIENT_SECRET", "OPENID_CLIENT_SECRET"),
    optional: true,
    doc: "Our secret, for providers without private_key_jwt.",
  }),
  clientAuthJwtType: setting.flag({
    env: named("NEW_CLIENT_AUTH_JWT_TYPE", "OPENID_NEW_CLIENT_AUTH_JWT_TYPE"),
    default: false,
    doc: "Whether assertions have the type of RFC 7523bis.",
  }),
  idportenClientId: setting.text({
    env: "IDPORTEN_CLIENT_ID",
    optional: true,
    doc: "Preset of the platform.",
  }),
  idportenClientJwk: setting.secret({
    env: "IDPORTEN_CLIENT_JWK",
    optional: true,
    doc: "Preset of the platform.",
  }),
  idportenWellKnownUrl: setting.url({
    env: "IDPORTEN_WELL_KNOWN_URL",
    optional: true,
    doc: "Preset of the platform.",
  }),
  azureClientId: setting.text({ env: "AZURE_APP_CLIENT_ID", optional: true, doc: "Preset of the platform." }),
  azureClientJwk: setting.secret({
    env: ["AZURE_APP_JWK", "AZURE_APP_CLIENT_JWK"],
    optional: true,
    doc: "Preset of the platform.",
  }),
  azureClientSecret: setting.secret({
    env: "AZURE_APP_CLIENT_SECRET",
    optional: true,
    doc: "Preset of the platform; used where there is no key.",
  }),
  azureWellKnownUrl: setting.url({
    env: "AZURE_APP_WELL_KNOWN_URL",
    optional: true,
    doc: "Preset of the platform.",
  }),
  scopes: setting.list({
    env: named("SCOPES", "OPENID_SCOPES"),
    default: [],
    doc: "Scopes besides the provider's own.",
  }),
  audiences: setting.list({
    env: named("AUDIENCES", "OPENID_AUDIENCES"),
    default: [],
    doc: "Audiences besides our own that an ID token may have.",
  }),
  jwksFallbackAlg: setting.choice({
    env: named("JWKS_FALLBACK_ALG", "OPENID_JWKS_FALLBACK_ALG"),
    values: signatures,
    optional: true,
    doc: "The one algorithm for keys of the provider that name none. Without it, what the provider's metadata lists and the key fits.",
  }),
  acrValues: setting.text({
    env: named("ACR_VALUES", "OPENID_ACR_VALUES"),
    optional: true,
    doc: "The least authentication level, asked for and enforced on every request.",
  }),
  uiLocales: setting.text({
    // The second is how the platform's chart spells it.
    env: [...named("UI_LOCALES", "OPENID_UI_LOCALES"), "WONDERWALL_OPENID_LOCALE"],
    optional: true,
    doc: "The language of the provider's pages.",
  }),
  domainHint: setting.text({
    env: named("DOMAIN_HINT", "OPENID_DOMAIN_HINT"),
    optional: true,
    doc: "Which tenant's or organisation's users sign in.",
  }),
  resource: setting.text({
    env: named("RESOURCE_INDICATOR", "OPENID_RESOURCE_INDICATOR"),
    optional: true,
    doc: "Whom access tokens are for (RFC 8707).",
  }),
  postLogoutRedirectUri: setting.url({
    env: named("POST_LOGOUT_REDIRECT_URI", "OPENID_POST_LOGOUT_REDIRECT_URI"),
    optional: true,
    doc: "Where users go after a logout.",
  }),
  lastKnownDirectory: setting.text({
    env: named("LAST_KNOWN_DIRECTORY", ""),
    optional: true,
    doc: "A folder for what providers last said of themselves (metadata and public keys), so that the proxy starts while they are away. Only the proxy should be able to write there.",
  }),
  lastKnownMaxAge: setting.seconds({
    env: named("LAST_KNOWN_MAX_AGE", ""),
    default: "24h",
    min: 60,
    max: 2_592_000,
    doc: "How old that may be to be used.",
  }),
  tenants: setting.list({
    env: named("TENANTS", ""),
    default: [],
    doc: "Tenants whose users may sign in where the provider's issuer holds {tenantid}.",
  }),
} as const;
