import { readFile } from "node:fs/promises";
import { anyAudience } from "@portvakt/oauth";
import { openidProvider, providers, type Provider } from "@portvakt/providers";
import type { Problem, SettingsOf } from "@portvakt/runtime/config";
import { Secret } from "@portvakt/runtime/observe";
import type { settings as schema } from "../settings.ts";
import type { ConfiguredProvider } from "./configured-providers.ts";
import type { Whereabouts } from "./connection.ts";

type Settings = SettingsOf<typeof schema>;

/** What one enabled provider is made of, before its keys are read. */
export interface Plan {
  readonly provider: Provider;
  /** What to set, for messages: where the provider is, who this application is there, and how it proves it. */
  readonly variables: {
    readonly found: string;
    readonly audience: string;
    readonly client: string;
    readonly proof: string;
  };
  readonly whereabouts: Whereabouts;
  readonly clientId: string | undefined;
  readonly jwk?: Secret | undefined;
  readonly clientSecret?: Secret | undefined;
  readonly audience: string | typeof anyAudience | undefined;
  /** Whether the provider is of no use without an own identity, and the variables that would give one. */
  readonly needsIdentity: boolean;
}

const entraPlan = (s: Settings): Plan => ({
  provider: providers.entra_id,
  variables: {
    found: "AZURE_APP_WELL_KNOWN_URL or AZURE_OPENID_CONFIG_{ISSUER,JWKS_URI,TOKEN_ENDPOINT}",
    audience: "AZURE_APP_CLIENT_ID",
    client: "AZURE_APP_CLIENT_ID",
    proof: "AZURE_APP_JWK or AZURE_APP_CLIENT_SECRET",
  },
  whereabouts: {
    wellKnownUrl: s.azureWellKnownUrl,
    issuer: s.azureIssuer,
    jwksUri: s.azureJwksUri,
    tokenEndpoint: s.azureTokenEndpoint,
  },
  clientId: s.azureClientId,
  jwk: s.azureJwk,
  clientSecret: s.azureClientSecret,
  audience: s.azureClientId,
  needsIdentity: true,
});

const maskinportenPlan = (s: Settings): Plan => ({
  provider: providers.maskinporten,
  variables: {
    found: "MASKINPORTEN_WELL_KNOWN_URL or MASKINPORTEN_{ISSUER,JWKS_URI,TOKEN_ENDPOINT}",
    audience: "MASKINPORTEN_AUDIENCE",
    client: "MASKINPORTEN_CLIENT_ID",
    proof: "MASKINPORTEN_CLIENT_JWK",
  },
  whereabouts: {
    wellKnownUrl: s.maskinportenWellKnownUrl,
    issuer: s.maskinportenIssuer,
    jwksUri: s.maskinportenJwksUri,
    tokenEndpoint: s.maskinportenTokenEndpoint,
  },
  clientId: s.maskinportenClientId,
  jwk: s.maskinportenJwk,
  audience: s.maskinportenAudience ?? anyAudience,
  // An API that only receives Maskinporten's tokens has no client there.
  needsIdentity: false,
});

const tokenxPlan = (s: Settings): Plan => ({
  provider: providers.tokenx,
  variables: {
    found: "TOKEN_X_WELL_KNOWN_URL or TOKEN_X_{ISSUER,JWKS_URI,TOKEN_ENDPOINT}",
    audience: "TOKEN_X_CLIENT_ID",
    client: "TOKEN_X_CLIENT_ID",
    proof: "TOKEN_X_PRIVATE_JWK",
  },
  whereabouts: {
    wellKnownUrl: s.tokenxWellKnownUrl,
    issuer: s.tokenxIssuer,
    jwksUri: s.tokenxJwksUri,
    tokenEndpoint: s.tokenxTokenEndpoint,
  },
  clientId: s.tokenxClientId,
  jwk: s.tokenxJwk,
  audience: s.tokenxClientId,
  needsIdentity: true,
});

const idportenPlan = (s: Settings): Plan => ({
  provider: providers.idporten,
  variables: {
    found: "IDPORTEN_WELL_KNOWN_URL or IDPORTEN_{ISSUER,JWKS_URI}",
    audience: "IDPORTEN_AUDIENCE",
    client: "IDPORTEN_CLIENT_ID",
    proof: "IDPORTEN_CLIENT_JWK",
  },
  whereabouts: {
    wellKnownUrl: s.idportenWellKnownUrl,
    issuer: s.idportenIssuer,
    jwksUri: s.idportenJwksUri,
  },
  clientId: s.idportenClientId,
  jwk: s.idportenJwk,
  audience: s.idportenAudience,
  needsIdentity: false,
});

/** The plans of the providers that the settings enable; what cannot be read is added to `problems`. */
export async function planProviders(settings: Settings, problems: Problem[]): Promise<readonly Plan[]> {
  return [
    ...(settings.azureEnabled ? [entraPlan(settings)] : []),
    ...(settings.maskinportenEnabled ? [maskinportenPlan(settings)] : []),
    ...(settings.tokenxEnabled ? [tokenxPlan(settings)] : []),
    ...(settings.idportenEnabled ? [idportenPlan(settings)] : []),
    ...(await configuredPlans(settings.providers, problems)),
  ];
}

async function configuredPlans(
  configured: readonly ConfiguredProvider[],
  problems: Problem[],
): Promise<Plan[]> {
  return Promise.all(
    configured.map(async (one) => ({
      provider: openidProvider({
        name: one.name,
        algorithms: one.algorithms,
        audienceIsClient: one.audience === undefined || one.audience === one.client_id,
        ...grantsOf(one),
      }),
      variables: {
        found: "well_known_url or issuer and jwks_uri in PORTVAKT_TOKENS_PROVIDERS",
        audience: "audience in PORTVAKT_TOKENS_PROVIDERS",
        client: "client_id in PORTVAKT_TOKENS_PROVIDERS",
        proof: "client_jwk_file or client_secret_file in PORTVAKT_TOKENS_PROVIDERS",
      },
      whereabouts: {
        wellKnownUrl: one.well_known_url,
        issuer: one.issuer,
        jwksUri: one.jwks_uri,
        tokenEndpoint: one.token_endpoint,
        introspectionEndpoint: one.introspection_endpoint,
      },
      clientId: one.client_id,
      jwk: await readSecret(one.client_jwk_file, problems),
      clientSecret: await readSecret(one.client_secret_file, problems),
      audience: one.audience ?? one.client_id,
      needsIdentity: one.token !== undefined || one.exchange !== undefined,
    })),
  );
}

function grantsOf({ token, exchange }: ConfiguredProvider) {
  return { ...(token === undefined ? {} : { token }), ...(exchange === undefined ? {} : { exchange }) };
}

async function readSecret(path: string | undefined, problems: Problem[]): Promise<Secret | undefined> {
  if (path === undefined) return undefined;
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text !== undefined && text.trim() !== "") return new Secret(text.trim());
  problems.push({
    env: "PORTVAKT_TOKENS_PROVIDERS",
    problem: "names a file that is empty or cannot be read",
  });
  return undefined;
}
