import { defineSettings, setting } from "@portvakt/runtime/config";
import { commonSettings } from "@portvakt/runtime/process";
import { parseConfiguredProviders } from "./connections/configured-providers.ts";

/** The settings that a provider has under its own prefix, as platforms inject them. */
function text(name: string, doc: string) {
  return setting.text({ env: name, optional: true, doc });
}
function secret(name: string, doc: string) {
  return setting.secret({ env: name, optional: true, doc });
}
function url(name: string, doc: string) {
  return setting.url({ env: name, optional: true, doc });
}
function enabled(name: string, title: string) {
  return setting.flag({ env: name, default: false, doc: `Whether ${title} is used.` });
}

/** A time that other sidecars are given in milliseconds. */
function millis(name: string, ours: string) {
  const doc = `The same as ${ours}, in whole milliseconds; when set, it wins.`;
  return setting.whole({ env: name, optional: true, min: 1, max: 120_000, doc });
}

const wellKnown = "Address of the provider's metadata; not fetched when everything it would tell is given.";
const issuer = "The provider's issuer, exactly as its tokens have it.";
const jwks = "Address of the provider's public keys.";
const tokenEndpoint = "The provider's token endpoint.";
const jwk = "This application's private key at the provider, as a JWK with kid and alg.";

/** Everything that the token API reads from its environment. Provider variables keep the names that platforms inject. */
export const settings = defineSettings({
  ...commonSettings("tokens", { statusAddress: ["PROBE_BIND_ADDRESS"] }),
  bindAddress: setting.address({
    env: ["PORTVAKT_TOKENS_BIND_ADDRESS", "BIND_ADDRESS"],
    default: "127.0.0.1:3000",
    doc: "Where the API listens. Other than loopback needs a shared secret.",
  }),
  socketPath: setting.text({
    env: "PORTVAKT_TOKENS_SOCKET_PATH",
    optional: true,
    doc: "Path of a Unix socket to listen on instead of an address; who may open the file may call.",
  }),
  sharedSecretFile: setting.text({
    env: "PORTVAKT_TOKENS_SHARED_SECRET_FILE",
    optional: true,
    doc: "File with a secret that callers must send as a bearer token; read anew when it changes.",
  }),
  cacheEntries: setting.whole({
    env: "PORTVAKT_TOKENS_CACHE_ENTRIES",
    default: 10_000,
    min: 1,
    max: 1_000_000,
    doc: "Tokens held at most; the least recently used go first.",
  }),
  verifiedEntries: setting.whole({
    env: "PORTVAKT_TOKENS_VERIFIED_ENTRIES",
    default: 5000,
    min: 1,
    max: 1_000_000,
    doc: "Verified tokens remembered at most.",
  }),
  refusalSeconds: setting.seconds({
    env: "PORTVAKT_TOKENS_REFUSAL_TTL",
    default: 5,
    max: 300,
    doc: "How long a provider's final refusal is repeated without asking again.",
  }),
  retries: setting.whole({
    env: ["PORTVAKT_TOKENS_RETRIES", "TEXAS_HTTP_MAX_RETRIES"],
    default: 3,
    max: 10,
    min: 0,
    doc: "Attempts after the first for a token request that failed for a passing reason.",
  }),
  attemptSeconds: setting.seconds({
    env: "PORTVAKT_TOKENS_ATTEMPT_TIMEOUT",
    default: 5,
    max: 60,
    doc: "How long a provider may take for one answer.",
  }),
  attemptMillis: millis("TEXAS_HTTP_READ_TIMEOUT_MILLIS", "PORTVAKT_TOKENS_ATTEMPT_TIMEOUT"),
  connectSeconds: setting.seconds({
    env: "PORTVAKT_TOKENS_CONNECT_TIMEOUT",
    optional: true,
    max: 60,
    doc: "How long connecting to a provider may take; without it, as long as the answer may.",
  }),
  connectMillis: millis("TEXAS_HTTP_CONNECT_TIMEOUT_MILLIS", "PORTVAKT_TOKENS_CONNECT_TIMEOUT"),
  connections: setting.whole({
    env: ["PORTVAKT_TOKENS_CONNECTIONS", "TEXAS_HTTP_POOL_MAX_IDLE"],
    optional: true,
    min: 1,
    max: 10_000,
    doc: "Connections to one provider at most; further requests wait for one of them. Without it there is no bound.",
  }),
  overallSeconds: setting.seconds({
    env: "PORTVAKT_TOKENS_OVERALL_TIMEOUT",
    default: 10,
    max: 120,
    doc: "How long all attempts for one token may take. They go on after the caller was told to come back.",
  }),
  overallMillis: millis("TEXAS_HTTP_OVERALL_TIMEOUT_MILLIS", "PORTVAKT_TOKENS_OVERALL_TIMEOUT"),
  patienceSeconds: setting.seconds({
    env: "PORTVAKT_TOKENS_PATIENCE",
    default: 1.8,
    max: 60,
    doc: "How long a caller waits for a provider before it gets a 503; longer for providers that have been seen to be slow.",
  }),
  readyWithinSeconds: setting.seconds({
    env: "PORTVAKT_TOKENS_READY_WITHIN",
    default: 15,
    max: 600,
    doc: "How long readiness waits for every provider's keys; then the others are served without those that are down.",
  }),
  workloadTokenPath: setting.text({
    env: ["PORTVAKT_TOKENS_WORKLOAD_TOKEN_PATH", "NAIS_SERVICE_ACCOUNT_TOKEN_PATH"],
    optional: true,
    doc: "File with the workload's projected token, read anew for each request; the client's authentication where a provider has no key or secret.",
  }),
  dpopProviders: setting.list({
    env: "PORTVAKT_TOKENS_DPOP_PROVIDERS",
    default: [],
    doc: "Providers whose tokens are bound to a key of this process (RFC 9449); the application then sends them with a proof from /api/v1/dpop-proof.",
  }),
  providers: setting.json({
    env: "PORTVAKT_TOKENS_PROVIDERS",
    default: [],
    parse: parseConfiguredProviders,
    doc: "Further providers: a list of {name, well_known_url, client_id, client_jwk_file | client_secret_file, audience, token, exchange, algorithms}. Without an audience it is the client ID, and access tokens must be told from ID tokens by typ at+jwt, client_id or scope.",
  }),

  azureEnabled: enabled("AZURE_ENABLED", "Entra ID"),
  azureClientId: text(
    "AZURE_APP_CLIENT_ID",
    "This application's client ID at Entra ID; the audience of its tokens.",
  ),
  azureJwk: secret("AZURE_APP_JWK", jwk),
  azureClientSecret: secret("AZURE_APP_CLIENT_SECRET", "A client secret, used when there is no key."),
  azureWellKnownUrl: url("AZURE_APP_WELL_KNOWN_URL", wellKnown),
  azureIssuer: text("AZURE_OPENID_CONFIG_ISSUER", issuer),
  azureJwksUri: url("AZURE_OPENID_CONFIG_JWKS_URI", jwks),
  azureTokenEndpoint: url("AZURE_OPENID_CONFIG_TOKEN_ENDPOINT", tokenEndpoint),

  maskinportenEnabled: enabled("MASKINPORTEN_ENABLED", "Maskinporten"),
  maskinportenClientId: text("MASKINPORTEN_CLIENT_ID", "This application's client ID at Maskinporten."),
  maskinportenJwk: secret("MASKINPORTEN_CLIENT_JWK", jwk),
  maskinportenAudience: text(
    "MASKINPORTEN_AUDIENCE",
    "The audience that tokens must have; without it, `aud` is not checked, and introspection with `any` needs a required scope.",
  ),
  maskinportenWellKnownUrl: url("MASKINPORTEN_WELL_KNOWN_URL", wellKnown),
  maskinportenIssuer: text("MASKINPORTEN_ISSUER", issuer),
  maskinportenJwksUri: url("MASKINPORTEN_JWKS_URI", jwks),
  maskinportenTokenEndpoint: url("MASKINPORTEN_TOKEN_ENDPOINT", tokenEndpoint),

  tokenxEnabled: enabled("TOKEN_X_ENABLED", "TokenX"),
  tokenxClientId: text(
    "TOKEN_X_CLIENT_ID",
    "This application's name, cluster:namespace:app; the audience of its tokens.",
  ),
  tokenxJwk: secret("TOKEN_X_PRIVATE_JWK", jwk),
  tokenxWellKnownUrl: url("TOKEN_X_WELL_KNOWN_URL", wellKnown),
  tokenxIssuer: text("TOKEN_X_ISSUER", issuer),
  tokenxJwksUri: url("TOKEN_X_JWKS_URI", jwks),
  tokenxTokenEndpoint: url("TOKEN_X_TOKEN_ENDPOINT", tokenEndpoint),

  idportenEnabled: enabled("IDPORTEN_ENABLED", "ID-porten"),
  idportenAudience: text(
    "IDPORTEN_AUDIENCE",
    "The resource indicator that ID-porten's access tokens have as audience.",
  ),
  idportenClientId: text(
    "IDPORTEN_CLIENT_ID",
    "This application's client ID at ID-porten; only needed for by-reference tokens.",
  ),
  idportenJwk: secret("IDPORTEN_CLIENT_JWK", `${jwk} Only needed for by-reference tokens.`),
  idportenWellKnownUrl: url("IDPORTEN_WELL_KNOWN_URL", wellKnown),
  idportenIssuer: text("IDPORTEN_ISSUER", issuer),
  idportenJwksUri: url("IDPORTEN_JWKS_URI", jwks),
});
