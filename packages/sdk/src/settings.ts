import { providerNames, providerRow } from "./providers.ts";
import type { ProviderName } from "./providers.ts";

/** Variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Where a provider's tokens come from and whom they must be for. */
export interface ProviderSettings {
  readonly issuer: string;
  readonly jwksUri: string;
  /** Absent only where the provider's tokens need none. */
  readonly audience?: string;
}

/** What the platform tells an application. A provider that is not set up has the sentence that says what is missing. */
export interface SdkSettings {
  readonly providers: Readonly<Record<ProviderName, ProviderSettings | { readonly missing: string }>>;
  readonly tokenEndpoint: string | undefined;
  readonly exchangeEndpoint: string | undefined;
  readonly introspectionEndpoint: string | undefined;
  /** Beside the token endpoint: no platform has a variable for it. */
  readonly proofEndpoint: string | undefined;
  readonly sharedSecretFile: string | undefined;
  readonly socketPath: string | undefined;
}

/** Where the token API is, and how it knows its callers: the last two have the names that the token API's own settings have. */
export const tokenApiVariables = {
  tokenEndpoint: "NAIS_TOKEN_ENDPOINT",
  exchangeEndpoint: "NAIS_TOKEN_EXCHANGE_ENDPOINT",
  introspectionEndpoint: "NAIS_TOKEN_INTROSPECTION_ENDPOINT",
  sharedSecretFile: "PORTVAKT_TOKENS_SHARED_SECRET_FILE",
  socketPath: "PORTVAKT_TOKENS_SOCKET_PATH",
} as const;

/** The variables from which the settings are taken. */
export const settingNames: ReadonlySet<string> = new Set([
  ...providerNames.flatMap((name) => Object.values(providerRow(name).variables)),
  ...Object.values(tokenApiVariables),
]);

/** Takes from the environment what the platform sets there. Never throws: what is missing is told at its first use. */
export function settingsFrom(env: Environment): SdkSettings {
  const providers = providerNames.map((name) => [name, providerSettings(name, env)] as const);
  return {
    providers: Object.fromEntries(providers) as unknown as SdkSettings["providers"],
    ...tokenApiSettings(env),
  };
}

function tokenApiSettings(env: Environment): Omit<SdkSettings, "providers"> {
  const names = tokenApiVariables;
  const socketPath = text(env, names.socketPath);
  const endpoint = (name: string, path: string): string | undefined =>
    text(env, name) ?? (socketPath === undefined ? undefined : `http://localhost/api/v1/${path}`);
  const tokenEndpoint = endpoint(names.tokenEndpoint, "token");
  return {
    tokenEndpoint,
    exchangeEndpoint: endpoint(names.exchangeEndpoint, "token/exchange"),
    introspectionEndpoint: endpoint(names.introspectionEndpoint, "introspect"),
    proofEndpoint: URL.canParse("dpop-proof", tokenEndpoint)
      ? new URL("dpop-proof", tokenEndpoint).href
      : undefined,
    sharedSecretFile: text(env, names.sharedSecretFile),
    socketPath,
  };
}

function text(env: Environment, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

function providerSettings(name: ProviderName, env: Environment): SdkSettings["providers"][ProviderName] {
  const { variables, audience: need } = providerRow(name);
  const issuer = text(env, variables.issuer);
  const jwksUri = text(env, variables.jwksUri);
  const audience = text(env, variables.audience);
  const missing = [
    ...(issuer === undefined ? [variables.issuer] : []),
    ...(jwksUri === undefined ? [variables.jwksUri] : []),
    ...(audience === undefined && need === "required" ? [variables.audience] : []),
  ];
  if (issuer === undefined || jwksUri === undefined || missing.length > 0) {
    return { missing: `${missing.join(", ")} ${missing.length === 1 ? "is" : "are"} not set` };
  }
  return { issuer, jwksUri, ...(audience !== undefined && { audience }) };
}
