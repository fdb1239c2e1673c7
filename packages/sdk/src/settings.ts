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
}

/** Takes from the environment what the platform sets there. Never throws: what is missing is told at its first use. */
export function settingsFrom(env: Environment): SdkSettings {
  const providers = providerNames.map((name) => [name, providerSettings(name, env)] as const);
  return {
    providers: Object.fromEntries(providers) as unknown as SdkSettings["providers"],
    tokenEndpoint: text(env, "NAIS_TOKEN_ENDPOINT"),
    exchangeEndpoint: text(env, "NAIS_TOKEN_EXCHANGE_ENDPOINT"),
    introspectionEndpoint: text(env, "NAIS_TOKEN_INTROSPECTION_ENDPOINT"),
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
