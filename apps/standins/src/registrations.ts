import { z } from "zod";

// What the providers know about their clients. Production learns this from the platform's operators; here a JSON
// file or PUT /registrations brings it. Strict on purpose: a misspelt member is an error, not a silent default.

const orgno = z.string().regex(/^\d{9}$/, "an organisation number is nine digits");
const uri = z.url();
const uuid = z.guid();
const jwk = z.looseObject({ kty: z.string(), kid: z.string().optional(), alg: z.string().optional() });
const jwks = z.strictObject({ keys: z.array(jwk).min(1).max(10) });
const secret = z.string().min(8);
const seconds = z.int().min(1);

const idportenClient = z.strictObject({
  client_id: z.string().min(1),
  name: z.string().optional(),
  orgno: orgno.default("889640782"),
  jwks: jwks.optional(),
  client_secret: secret.optional(),
  token_endpoint_auth_method: z
    .enum(["private_key_jwt", "client_secret_basic", "client_secret_post", "none"])
    .optional(),
  redirect_uris: z.array(uri).default([]),
  post_logout_redirect_uris: z.array(uri).default([]),
  frontchannel_logout_uri: uri.optional(),
  frontchannel_logout_session_required: z.boolean().default(true),
  /** Of ours: ID-porten sends no back-channel logout; a registration that names a URI gets one all the same. */
  backchannel_logout_uri: uri.optional(),
  resource: z.union([uri, z.array(uri)]).optional(),
  scopes: z.array(z.string()).default(["openid", "profile"]),
  access_token_lifetime: seconds.default(600),
  authorization_lifetime: seconds.default(7200),
  refresh_token_usage: z.enum(["ONETIME", "REUSE"]).default("ONETIME"),
  access_token_by_reference: z.boolean().default(false),
  /** On whose behalf the client may ask people to sign in; the page then shows that name. */
  onbehalfof: z.array(z.strictObject({ id: z.string().min(1), name: z.string().min(1) })).default([]),
  isolated_sso: z.boolean().default(false),
});

const inboundRule = z.strictObject({
  application: z.string(),
  namespace: z.string(),
  cluster: z.string(),
  roles: z.array(z.string()).default([]),
  scopes: z.array(z.string()).default([]),
  source: z.strictObject({ file: z.string(), line: z.int() }).optional(),
});

/** Workload identity federation: another issuer's tokens for this subject count as the application's proof. */
const federatedCredential = z
  .strictObject({
    issuer: uri,
    subject: z.string().min(1),
    audience: z.string().default("api://AzureADTokenExchange"),
    jwks: jwks.optional(),
    jwks_uri: uri.optional(),
  })
  .refine((record) => record.jwks !== undefined || record.jwks_uri !== undefined, "needs jwks or jwks_uri");

const entraApplication = z.strictObject({
  client_id: uuid,
  /** `cluster:namespace:application`, the display name that the platform gives every application. */
  name: z.string(),
  /** A tenant's id or domain; absent means the first tenant. */
  tenant: z.string().optional(),
  identifier_uris: z.array(z.string()).default([]),
  jwks: jwks.optional(),
  client_secret: secret.optional(),
  federated_credentials: z.array(federatedCredential).max(20).default([]),
  redirect_uris: z.array(uri).default([]),
  post_logout_redirect_uris: z.array(uri).default([]),
  frontchannel_logout_uri: uri.optional(),
  allow_all_users: z.boolean().default(false),
  groups: z.array(uuid).default([]),
  /** Which groups tokens tell of: those assigned to the application, or all (with more than 200: a pointer). */
  group_membership_claims: z.enum(["ApplicationGroup", "SecurityGroup"]).default("ApplicationGroup"),
  inbound: z.array(inboundRule).default([]),
});

const maskinportenClient = z.strictObject({
  client_id: z.string().min(1),
  name: z.string().optional(),
  orgno,
  /** Absent: the client proves itself by an enterprise certificate of its organisation. */
  jwks: jwks.optional(),
  scopes: z.array(z.string()).default([]),
  /** Organisations that the client may name in `iss_onbehalfof`. */
  onbehalfof: z.array(z.strictObject({ id: z.string().min(1), orgno })).default([]),
});

const maskinportenScope = z.strictObject({
  name: z.string().regex(/^[^\s:]+:[^\s]+$/, "a scope is prefix:subscope"),
  /** Organisation numbers that the owner of the scope admits. */
  consumers: z.array(orgno).default([]),
  accessible_for_all: z.boolean().default(false),
  at_max_age: seconds.max(680).default(120),
  /** When given, a token for this scope must be restricted to one of these audiences. */
  allowed_audiences: z.array(z.string()).optional(),
  delegation_source: uri.optional(),
});

const openidClient = z.strictObject({
  client_id: z.string().min(1),
  name: z.string().optional(),
  jwks: jwks.optional(),
  client_secret: secret.optional(),
  token_endpoint_auth_method: z
    .enum(["private_key_jwt", "client_secret_basic", "client_secret_post", "none"])
    .optional(),
  redirect_uris: z.array(uri).default([]),
  post_logout_redirect_uris: z.array(uri).default([]),
  frontchannel_logout_uri: uri.optional(),
  frontchannel_logout_session_required: z.boolean().default(true),
  backchannel_logout_uri: uri.optional(),
  scopes: z.array(z.string()).default(["openid", "profile", "email", "address", "phone", "offline_access"]),
  /** Whom access tokens are for when no resource is asked for; absent = the issuer itself (userinfo). */
  audience: z.string().optional(),
});

/** The tenant that the applications are in, and one more so that nobody forgets that there are several. */
export const defaultTenants = [
  { id: "f8c6f6c6-a7d5-48a6-aec4-4ec1a4fee5d9", domain: "agency.example" },
  { id: "69f7cb52-7acc-4bad-9272-d31ec1930f34", domain: "other.example" },
] as const;

/**
 * The registrations of every stand-in: `PORTVAKT_STANDINS_REGISTRATIONS` and `PUT /registrations` of the control API.
 * Member names are the providers' own where they have one.
 */
export const registrationsSchema = z.strictObject({
  idporten: z.strictObject({ clients: z.array(idportenClient).default([]) }).prefault({}),
  entra: z
    .strictObject({
      tenants: z
        .array(z.strictObject({ id: uuid, domain: z.string() }))
        .min(1)
        .default([...defaultTenants]),
      applications: z.array(entraApplication).default([]),
    })
    .superRefine(({ tenants, applications }, context) => {
      const names = new Set(tenants.flatMap(({ id, domain }) => [id, domain]));
      for (const [index, { tenant }] of applications.entries())
        if (tenant !== undefined && !names.has(tenant))
          context.addIssue({
            code: "custom",
            path: ["applications", index, "tenant"],
            message: `there is no tenant ${tenant}`,
          });
    })
    .prefault({}),
  /** A provider with no habits of its own; its clients are known at every issuer path. */
  openid: z.strictObject({ clients: z.array(openidClient).default([]) }).prefault({}),
  maskinporten: z
    .strictObject({
      clients: z.array(maskinportenClient).default([]),
      scopes: z.array(maskinportenScope).default([]),
      /** PEM certificates of those who issue enterprise certificates. */
      certificate_authorities: z
        .array(z.string().startsWith("-----BEGIN CERTIFICATE-----"))
        .max(20)
        .default([]),
      /** How long a change of scopes is on its way; up to a quarter of an hour in production. */
      scope_change_delay_seconds: z.int().min(0).max(86_400).default(0),
      /** Delegations in Altinn: `supplier` may use `scope` on behalf of `consumer`. */
      delegations: z
        .array(z.strictObject({ consumer: orgno, supplier: orgno, scope: z.string() }))
        .default([]),
    })
    .prefault({}),
});

/** Registrations with every default filled in. */
export type Registrations = z.output<typeof registrationsSchema>;
/** Registrations as someone writes them: defaults may be left out. */
export type RegistrationsInput = z.input<typeof registrationsSchema>;
export type IdportenClient = z.output<typeof idportenClient>;
export type EntraApplication = z.output<typeof entraApplication>;
export type OpenidClient = z.output<typeof openidClient>;
export type MaskinportenClient = z.output<typeof maskinportenClient>;
export type MaskinportenScope = z.output<typeof maskinportenScope>;

/** Registrations with others added; a client, application or scope that is there already is replaced. */
export function mergeRegistrations(current: Registrations, added: RegistrationsInput): RegistrationsInput {
  const next = registrationsSchema.parse(added);
  const by = <T>(key: (entry: T) => string, before: readonly T[], after: readonly T[]): T[] => {
    const names = new Set(after.map(key));
    return [...before.filter((entry) => !names.has(key(entry))), ...after];
  };
  return {
    idporten: { clients: by((client) => client.client_id, current.idporten.clients, next.idporten.clients) },
    entra: {
      tenants: added.entra?.tenants === undefined ? current.entra.tenants : next.entra.tenants,
      applications: by((one) => one.client_id, current.entra.applications, next.entra.applications),
    },
    openid: { clients: by((client) => client.client_id, current.openid.clients, next.openid.clients) },
    maskinporten: {
      clients: by((client) => client.client_id, current.maskinporten.clients, next.maskinporten.clients),
      scopes: by((scope) => scope.name, current.maskinporten.scopes, next.maskinporten.scopes),
      delegations: [...current.maskinporten.delegations, ...next.maskinporten.delegations],
      certificate_authorities: [
        ...new Set([
          ...current.maskinporten.certificate_authorities,
          ...next.maskinporten.certificate_authorities,
        ]),
      ],
      scope_change_delay_seconds:
        added.maskinporten?.scope_change_delay_seconds ?? current.maskinporten.scope_change_delay_seconds,
    },
  };
}
