import { clientAuthenticator, type AuthenticateClient, type RegisteredClient } from "@portvakt/issuer";
import { createPolicy, type Policy } from "@portvakt/policy";
import { backBase } from "../addresses.ts";
import { stableUuid } from "../personas/personas.ts";
import { credentialsOf } from "../registry.ts";
import { registrationsSchema, type EntraApplication, type Registrations } from "../registrations.ts";
import type { SigninClient } from "../signin/provider.ts";
import type { Parts } from "../standin.ts";
import { withFederation } from "./federated.ts";

export interface Tenant {
  readonly id: string;
  readonly domain: string;
}

/** An application of a tenant: client and resource in one. */
export interface EntraRegistered extends RegisteredClient {
  readonly registration: EntraApplication;
  readonly tenant: Tenant;
  /** The object id of its service principal. */
  readonly objectId: string;
  readonly signin: SigninClient;
}

/** Tenants, applications and the access policy between them. */
export interface Directory {
  /** By id or domain; undefined also for `common` and `organizations`. */
  tenant(name: string): Tenant | undefined;
  readonly firstTenant: Tenant;
  find(clientId: string): EntraRegistered | undefined;
  /** By client id, `api://…` identifier URI or the platform's `api://cluster.namespace.name`. */
  resource(name: string, tenant: Tenant): EntraRegistered | undefined;
  /** An application as if it were registered; its id may be any text. */
  madeUp(clientId: string | undefined, tenant: Tenant): EntraRegistered;
  readonly policy: Policy;
}

/** The names that stand for any tenant. */
export const anyTenant: ReadonlySet<string> = new Set(["common", "organizations"]);

/** The directory of the registrations in force. */
export function entraDirectory(parts: Parts): () => Directory {
  return parts.registry.derived((registrations) => directoryOf(registrations));
}

function directoryOf({ entra }: Registrations): Directory {
  const tenants = new Map(
    entra.tenants.flatMap(
      (tenant) =>
        [
          [tenant.id, tenant],
          [tenant.domain, tenant],
        ] as const,
    ),
  );
  const [firstTenant] = entra.tenants;
  if (firstTenant === undefined) throw new RangeError("there must be a tenant");
  const byId = new Map<string, EntraRegistered>();
  const byName = new Map<string, EntraRegistered>();
  for (const application of entra.applications) {
    const tenant = application.tenant === undefined ? firstTenant : tenants.get(application.tenant);
    if (tenant === undefined) throw new RangeError(`there is no tenant ${application.tenant ?? ""}`);
    const registered = registeredOf(application, tenant);
    byId.set(application.client_id.toLowerCase(), registered);
    for (const name of resourceNames(application)) byName.set(`${tenant.id} ${name}`, registered);
  }
  return {
    tenant: (name) => tenants.get(name),
    firstTenant,
    find: (clientId) => byId.get(clientId.toLowerCase()),
    madeUp: (clientId, tenant) => registeredOf(unregistered(clientId), tenant),
    resource: (name, tenant) => byName.get(`${tenant.id} ${name}`),
    policy: createPolicy(
      entra.applications.map((application) => ({ id: application.name, inbound: application.inbound })),
    ),
  };
}

/** An application that nobody registered, with the defaults of one: ordered tokens may be for it. */
function unregistered(clientId: string | undefined): EntraApplication {
  const id = stableUuid("application: any");
  const applications = [{ client_id: id, name: "local:test:any" }];
  const [application] = registrationsSchema.parse({ entra: { applications } }).entra.applications;
  if (application === undefined) throw new Error("an application was registered");
  return { ...application, client_id: clientId ?? id };
}

function resourceNames(application: EntraApplication): string[] {
  const { client_id: id, name, identifier_uris: uris } = application;
  return [id, `api://${id}`, `api://${name.replaceAll(":", ".")}`, ...uris];
}

function registeredOf(application: EntraApplication, tenant: Tenant): EntraRegistered {
  const credentials = credentialsOf(application);
  return {
    id: application.client_id,
    ...credentials,
    registration: application,
    tenant,
    objectId: stableUuid(`service principal:${application.client_id}`),
    signin: {
      id: application.client_id,
      name: application.name,
      keys: credentials.keys,
      redirectUris: application.redirect_uris,
      postLogoutRedirectUris: application.post_logout_redirect_uris,
      frontchannelLogoutUri: application.frontchannel_logout_uri,
      frontchannelSessionRequired: true,
      backchannelLogoutUri: undefined,
      isolated: false,
    },
  };
}

const day = 86_400;

/**
 * Client authentication of one tenant. An assertion may live for a day and be sent again while it lives: Entra ID does
 * not remember `jti`, and Microsoft's own library sends the same assertion until it expires.
 */
export function entraAuthentication(
  parts: Parts,
  directory: () => Directory,
  tenant: string,
): AuthenticateClient<EntraRegistered> {
  const names = (): string[] => {
    const found = directory().tenant(tenant);
    return found === undefined ? [tenant] : [found.id, found.domain, tenant];
  };
  const belongs = (client: EntraRegistered): boolean =>
    anyTenant.has(tenant) || names().includes(client.tenant.id);
  const byOwnProof: AuthenticateClient<EntraRegistered> = (request) =>
    clientAuthenticator<EntraRegistered>({
      findClient: async (id) => {
        const found = directory().find(id);
        return found !== undefined && belongs(found) ? found : undefined;
      },
      acceptedAudiences: names().flatMap((name) => [
        `${parts.base}/${name}/oauth2/v2.0/token`,
        `${parts.base}/${name}/v2.0`,
        `${backBase(parts, request.url) ?? parts.base}/${name}/oauth2/v2.0/token`,
      ]),
      acceptAudienceArray: true,
      claimJti: async () => true,
      now: parts.now,
      algorithms: ["RS256", "PS256"],
      maxLifetimeSeconds: day,
      toleranceSeconds: 300,
    })(request);
  return withFederation(parts, directory, belongs, byOwnProof);
}
