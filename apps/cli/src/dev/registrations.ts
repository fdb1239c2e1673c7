import type { JWK } from "@portvakt/oauth";
import type { Application, ExposedScope } from "@portvakt/policy";
import type { RegistrationsInput } from "@portvakt/standins";
import { keyName } from "./keys.ts";
import { organisationNumber, type Plan, type PlannedApplication } from "./plan.ts";

/** The public half of a key, by its name in the key file. */
export type PublicKeys = (name: string) => JWK;

/** What ID-porten's resource indicator is here: every citizen's access token is made for it. */
export const idportenAudience = "https://api.local";

/** What the providers know about the applications: what the platform's operators would have registered. */
export function registrationsOf(plan: Plan, publicKeys: PublicKeys): RegistrationsInput {
  return {
    idporten: { clients: plan.applications.flatMap((planned) => idportenClient(planned, publicKeys)) },
    entra: { applications: plan.applications.flatMap((planned) => entraApplication(planned, publicKeys)) },
    maskinporten: {
      clients: plan.applications.flatMap((planned) => maskinportenClient(planned, publicKeys)),
      scopes: plan.applications.flatMap(({ application }) => exposedScopes(application)),
    },
  };
}

function returnAddresses(planned: PlannedApplication): {
  redirect_uris: string[];
  post_logout_redirect_uris: string[];
  frontchannel_logout_uri?: string;
} {
  if (planned.login === undefined) return { redirect_uris: [], post_logout_redirect_uris: [] };
  return {
    redirect_uris: [`${planned.url}/oauth2/callback`],
    post_logout_redirect_uris: [`${planned.url}/oauth2/logout/callback`],
    frontchannel_logout_uri: `${planned.url}/oauth2/logout/frontchannel`,
  };
}

type IdportenClients = NonNullable<NonNullable<RegistrationsInput["idporten"]>["clients"]>;
function idportenClient(planned: PlannedApplication, publicKeys: PublicKeys): IdportenClients {
  const { clients, application } = planned;
  if (clients.idporten === undefined) return [];
  return [
    {
      client_id: clients.idporten,
      name: application.id,
      orgno: organisationNumber,
      jwks: { keys: [keyOf(publicKeys, keyName(planned, "idporten"))] },
      token_endpoint_auth_method: "private_key_jwt",
      ...returnAddresses(planned),
      resource: idportenAudience,
      access_token_lifetime: 3600,
    },
  ];
}

type EntraApplications = NonNullable<NonNullable<RegistrationsInput["entra"]>["applications"]>;
function entraApplication(planned: PlannedApplication, publicKeys: PublicKeys): EntraApplications {
  const { clients, application } = planned;
  if (clients.entra === undefined || application.azure === undefined) return [];
  const { cluster, namespace, name, azure } = application;
  return [
    {
      client_id: clients.entra,
      name: application.id,
      identifier_uris: [`api://${clients.entra}`, `api://${cluster}.${namespace}.${name}`],
      jwks: { keys: [keyOf(publicKeys, keyName(planned, "entra"))] },
      ...returnAddresses(planned),
      allow_all_users: azure.allowAllUsers,
      groups: [...azure.groups],
      inbound: application.inbound.map((rule) => ({
        application: rule.application,
        namespace: rule.namespace,
        cluster: rule.cluster,
        roles: [...rule.roles],
        scopes: [...rule.scopes],
        ...(rule.source ? { source: rule.source } : {}),
      })),
    },
  ];
}

type MaskinportenClients = NonNullable<NonNullable<RegistrationsInput["maskinporten"]>["clients"]>;
function maskinportenClient(planned: PlannedApplication, publicKeys: PublicKeys): MaskinportenClients {
  const { clients, application } = planned;
  if (clients.maskinporten === undefined) return [];
  return [
    {
      client_id: clients.maskinporten,
      name: application.id,
      orgno: organisationNumber,
      jwks: { keys: [keyOf(publicKeys, keyName(planned, "maskinporten"))] },
      scopes: (application.maskinporten?.consumes ?? []).map((scope) => scope.name),
    },
  ];
}

type MaskinportenScopes = NonNullable<NonNullable<RegistrationsInput["maskinporten"]>["scopes"]>;
function exposedScopes(application: Application): MaskinportenScopes {
  const exposed = application.maskinporten?.exposes ?? [];
  return exposed
    .filter((scope) => scope.enabled)
    .map((scope) => ({
      name: scopeName(application.namespace, scope),
      consumers: [...scope.consumers],
      accessible_for_all: scope.accessibleForAll,
      at_max_age: scope.atMaxAge,
    }));
}

/** `prefix:product<separator>name`; the prefix is the owner's, which here is the namespace. */
export function scopeName(prefix: string, scope: ExposedScope): string {
  const separator = scope.separator ?? (scope.name.includes("/") ? "/" : ":");
  return `${prefix}:${scope.product}${separator}${scope.name}`;
}

function keyOf(publicKeys: PublicKeys, name: string): JWK & { kty: string } {
  const { kty, ...rest } = publicKeys(name);
  return { ...rest, kty: kty ?? "" };
}
