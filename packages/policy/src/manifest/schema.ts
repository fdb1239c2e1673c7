import { z } from "zod";

/**
 * What a manifest may say to us. `description`s become the hints of problems, the editor's tooltips and the
 * reference page. Objects are open: the platform's manifests say much that is none of our business.
 */

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const labelOrAny = /^(\*|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$/;
const permission = /^[\x21\x23-\x5B\x5D-\x7E]{1,120}$/;

const path = z
  .string()
  .regex(/^\/|^\*/, "should start with /")
  .max(512);
const httpPath = z.object({
  path: z.string().max(512).optional().describe("a path of the application, such as /isalive"),
});
const paths = z
  .array(path)
  .max(200)
  .describe("paths, with * for one segment and ** for any depth, such as /static/**");

const permissions = z.object({
  roles: z
    .array(z.string().regex(permission, "should be one word"))
    .max(100)
    .optional()
    .describe("roles that the caller gets when it calls as itself (no user)"),
  scopes: z
    .array(z.string().regex(permission, "should be one word"))
    .max(100)
    .optional()
    .describe("scopes that the caller gets when it calls for a user"),
});

const application = z
  .string()
  .regex(labelOrAny, "should be an application's name, or *")
  .describe("metadata.name of the calling application, or * for any");
const namespace = z
  .string()
  .regex(labelOrAny, "should be a namespace, or *")
  .describe("its namespace; left out: the same namespace as this application");
const cluster = z
  .string()
  .regex(labelOrAny, "should be a cluster, or *")
  .describe("its cluster; left out: the same cluster as this application");

const inboundRule = z.object({
  application,
  namespace: namespace.optional(),
  cluster: cluster.optional(),
  permissions: permissions.optional().describe("what the caller may do: roles and scopes"),
});
const outboundRule = z.object({
  application,
  namespace: namespace.optional(),
  cluster: cluster.optional(),
});

const accessPolicy = z.object({
  inbound: z
    .object({
      rules: z
        .array(inboundRule)
        .max(5000)
        .optional()
        .describe("one entry for each application that may call this one"),
    })
    .optional()
    .describe("who may call this application; nobody else may"),
  outbound: z
    .object({
      rules: z.array(outboundRule).max(5000).optional().describe("applications that this one calls"),
      external: z
        .array(z.object({ host: z.string().max(253).optional() }))
        .max(1000)
        .optional()
        .describe("hosts outside the platform that this application calls"),
    })
    .optional()
    .describe("whom this application calls"),
});

const sidecar = {
  enabled: z.boolean().optional().describe("true puts the login proxy in front of the application"),
  autoLogin: z
    .boolean()
    .optional()
    .describe("true sends a browser without a session to sign in before the application sees it"),
  autoLoginIgnorePaths: paths.optional(),
};

const idportenLevels = ["Level3", "Level4", "idporten-loa-substantial", "idporten-loa-high"] as const;

const azure = z.object({
  application: z
    .object({
      enabled: z.boolean().optional().describe("true registers the application with Entra ID"),
      allowAllUsers: z
        .boolean()
        .optional()
        .describe("true admits every employee of the tenant; otherwise only members of claims.groups"),
      claims: z
        .object({
          groups: z
            .array(z.object({ id: z.string().min(1).max(100).describe("object id of the group") }))
            .max(200)
            .optional()
            .describe("groups whose direct members may use the application"),
        })
        .optional(),
      tenant: z.string().max(253).optional().describe("the tenant's domain, such as nav.no"),
      replyURLs: z.array(z.string().max(2048)).max(100).optional().describe("addresses to return to"),
    })
    .optional()
    .describe("the application's registration with Entra ID (Azure AD)"),
  sidecar: z.object(sidecar).optional().describe("a login proxy for employees"),
});

const idporten = z.object({
  enabled: z.boolean().optional().describe("true lets citizens sign in with ID-porten"),
  sidecar: z
    .object({
      ...sidecar,
      level: z
        .enum(idportenLevels)
        .optional()
        .describe("lowest level of assurance: idporten-loa-substantial or idporten-loa-high"),
      locale: z
        .enum(["nb", "nn", "en", "se"])
        .optional()
        .describe("language of the sign-in pages: nb, nn, en or se"),
    })
    .optional()
    .describe("a login proxy for citizens"),
});

const login = z.object({
  provider: z.string().min(1).max(100).describe("the provider to sign in with, such as openid"),
  enforce: z
    .object({
      enabled: z.boolean().optional().describe("true admits only browsers with a session"),
      excludePaths: paths.optional(),
    })
    .optional(),
});

const maskinporten = z.object({
  enabled: z.boolean().optional().describe("true registers the application with Maskinporten"),
  scopes: z
    .object({
      consumes: z
        .array(
          z.object({ name: z.string().min(1).max(255).describe("a scope, such as nav:tax/income.read") }),
        )
        .max(500)
        .optional()
        .describe("scopes of others that this application uses"),
      exposes: z
        .array(
          z.object({
            enabled: z.boolean().optional(),
            name: z.string().min(1).max(255).describe("last part of the scope, such as income.read"),
            product: z.string().min(1).max(255).describe("product that the scope belongs to"),
            separator: z.string().max(1).optional().describe("between product and name: : or /"),
            consumers: z
              .array(
                z.object({
                  orgno: z.string().regex(/^\d{9}$/, "should be nine digits, in quotes"),
                  enabled: z.boolean().optional(),
                }),
              )
              .max(2000)
              .optional()
              .describe("organisations that may use the scope"),
            atMaxAge: z
              .int()
              .min(30)
              .max(680)
              .optional()
              .describe("lifetime of its tokens, 30 to 680 seconds"),
            accessibleForAll: z.boolean().optional().describe("true admits every organisation"),
            delegationSource: z.string().max(100).optional().describe("who may delegate, such as altinn"),
            visibility: z.enum(["public", "private"]).optional(),
          }),
        )
        .max(500)
        .optional()
        .describe("scopes that this application offers to other organisations"),
    })
    .optional(),
});

const notAnAddress = "should be an address such as https://app.example.org";

const environment = z.object({
  name: z.string().min(1).max(255).describe("name of the variable"),
  value: z.string().max(65536).optional().describe("its value; a number or true/false goes in quotes"),
});

const spec = z.object({
  image: z.string().max(1024).optional().describe("the container image"),
  port: z.int().min(1).max(65535).optional().describe("the port that the application listens on, 1 to 65535"),
  ingresses: z
    .array(
      z
        .string()
        .max(2048)
        .regex(/^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/, { error: notAnAddress, abort: true })
        .refine((address) => URL.canParse(address), notAnAddress),
    )
    .max(100)
    .optional()
    .describe("addresses that browsers reach the application by"),
  env: z.array(environment).max(500).optional().describe("variables of the application's environment"),
  liveness: httpPath.optional(),
  readiness: httpPath.optional(),
  prometheus: httpPath.optional(),
  azure: azure.optional().describe("Entra ID (Azure AD): employees and internal machine-to-machine calls"),
  idporten: idporten.optional().describe("ID-porten: citizens"),
  login: login.optional().describe("a login proxy for any OpenID provider"),
  tokenx: z
    .object({ enabled: z.boolean().optional().describe("true registers the application with TokenX") })
    .optional()
    .describe("TokenX: calls on behalf of citizens"),
  maskinporten: maskinporten.optional().describe("Maskinporten: calls between organisations"),
  accessPolicy: accessPolicy.optional().describe("which applications may call this one"),
  mcp: z.boolean().optional().describe("portvakt.dev/v1: true marks an MCP server"),
  identity: z
    .object({
      spiffe: z
        .string()
        .regex(/^spiffe:\/\/[a-z0-9._-]+\/.+$/, "should be a SPIFFE id")
        .optional()
        .describe("portvakt.dev/v1: SPIFFE id of the workload"),
      serviceAccount: z
        .string()
        .regex(label, "should be a name")
        .optional()
        .describe("portvakt.dev/v1: Kubernetes service account of the workload"),
    })
    .optional(),
});

/** The schema of one manifest, of both `nais.io` and `portvakt.dev`. */
export const manifestSchema = z.object({
  apiVersion: z.enum(["nais.io/v1alpha1", "nais.io/v1", "portvakt.dev/v1"]),
  kind: z.enum(["Application", "Naisjob"]),
  metadata: z
    .object({
      name: z
        .string()
        .regex(label, "should be lower case letters, digits and -")
        .describe("the application's name"),
      namespace: z
        .string()
        .regex(label, "should be lower case letters, digits and -")
        .optional()
        .describe("the namespace that the application runs in"),
      labels: z
        .object({ team: z.string().max(63).optional().describe("the team that owns the application") })
        .optional(),
    })
    .describe("the application's name and namespace"),
  spec: spec.optional().describe("what the application is and who may call it"),
});

/** A manifest that passed the schema. */
export type Manifest = z.infer<typeof manifestSchema>;

/** The part of JSON Schema that we produce and read. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly [keyword: string]: unknown;
}

let cached: JsonSchema | undefined;

/** The JSON Schema (2020-12) of a manifest, for editors: made from the same schema that checks manifests. */
export function manifestJsonSchema(): JsonSchema {
  cached ??= {
    title: "Manifest of an application (nais.io/v1alpha1 or portvakt.dev/v1)",
    ...(z.toJSONSchema(manifestSchema, { io: "input" }) as JsonSchema),
  };
  return cached;
}

/** The schema of the field at `path` (names and list indices), or `undefined` where none is known. */
export function schemaAt(path: readonly (string | number)[]): JsonSchema | undefined {
  let schema: JsonSchema | undefined = manifestJsonSchema();
  for (const step of path) {
    schema = typeof step === "number" ? schema?.items : schema?.properties?.[step];
  }
  return schema;
}
