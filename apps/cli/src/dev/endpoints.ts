import type { Plan, ServerPorts } from "./plan.ts";

/** One provider's addresses, as its metadata says them. */
export interface ProviderEndpoints {
  readonly issuer: string;
  readonly wellKnown: string;
  readonly jwksUri: string;
  readonly tokenEndpoint: string;
}

export interface Endpoints {
  readonly idporten: ProviderEndpoints;
  readonly entra: ProviderEndpoints;
  readonly maskinporten: ProviderEndpoints;
  readonly tokenx: ProviderEndpoints;
  readonly control: string;
  readonly console: string;
}

/** The tenant that the stand-in takes applications into when nothing else is said. */
const tenant = { id: "f8c6f6c6-a7d5-48a6-aec4-4ec1a4fee5d9", domain: "agency.example" } as const;

/**
 * The providers' addresses in this plan. Each stand-in has its provider's own layout (Maskinporten's issuer ends in a
 * slash, ID-porten's does not), so they are known before anything runs and every process can start at once.
 */
export function endpointsOf(plan: Plan): Endpoints {
  const at = (server: keyof ServerPorts): string => `http://localhost:${plan.ports[server]}`;
  return {
    idporten: {
      issuer: at("idporten"),
      wellKnown: `${at("idporten")}/.well-known/openid-configuration`,
      jwksUri: `${at("idporten")}/jwks.json`,
      tokenEndpoint: `${at("idporten")}/token`,
    },
    entra: {
      issuer: `${at("entra")}/${tenant.id}/v2.0`,
      wellKnown: `${at("entra")}/${tenant.id}/v2.0/.well-known/openid-configuration`,
      jwksUri: `${at("entra")}/${tenant.id}/discovery/v2.0/keys`,
      tokenEndpoint: `${at("entra")}/${tenant.id}/oauth2/v2.0/token`,
    },
    maskinporten: {
      issuer: `${at("maskinporten")}/`,
      wellKnown: `${at("maskinporten")}/.well-known/oauth-authorization-server`,
      jwksUri: `${at("maskinporten")}/jwk`,
      tokenEndpoint: `${at("maskinporten")}/token`,
    },
    tokenx: {
      issuer: at("tokenx"),
      wellKnown: `${at("tokenx")}/.well-known/oauth-authorization-server`,
      jwksUri: `${at("tokenx")}/jwks`,
      tokenEndpoint: `${at("tokenx")}/token`,
    },
    control: at("control"),
    console: at("console"),
  };
}
