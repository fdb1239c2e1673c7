/** Where a thing was declared. `line` counts from 1. */
export interface SourceLine {
  readonly file: string;
  readonly line: number;
}

/**
 * One entry of a target's `spec.accessPolicy.inbound.rules`, with the defaults filled in: who may call.
 * `*` stands for any application, any namespace or any cluster.
 */
export interface InboundRule {
  readonly application: string;
  readonly namespace: string;
  readonly cluster: string;
  readonly roles: readonly string[];
  readonly scopes: readonly string[];
  readonly source?: SourceLine | undefined;
}

/** One entry of `spec.accessPolicy.outbound.rules`: whom the application means to call. It admits nobody. */
export interface OutboundRule {
  readonly application: string;
  readonly namespace: string;
  readonly cluster: string;
}

/** A login proxy beside the application, as `sidecar` asks for it. */
export interface Sidecar {
  readonly enabled: boolean;
  readonly autoLogin: boolean;
  readonly autoLoginIgnorePaths: readonly string[];
  readonly level?: string | undefined;
  readonly locale?: string | undefined;
}

/** `spec.azure.application` and `spec.azure.sidecar`. */
export interface AzureDeclaration {
  readonly enabled: boolean;
  readonly allowAllUsers: boolean;
  /** Object ids of the groups whose direct members may use the application. */
  readonly groups: readonly string[];
  readonly tenant?: string | undefined;
  readonly replyUrls: readonly string[];
  readonly sidecar?: Sidecar | undefined;
}

/** A Maskinporten scope that the application offers to other organisations. `atMaxAge` is in seconds. */
export interface ExposedScope {
  readonly name: string;
  readonly product: string;
  readonly separator?: string | undefined;
  readonly enabled: boolean;
  readonly consumers: readonly string[];
  readonly atMaxAge: number;
  readonly accessibleForAll: boolean;
  readonly delegationSource?: string | undefined;
  readonly visibility: string;
}

/** What one manifest declares, checked, with every default filled in. */
export interface Application {
  /** `cluster:namespace:name` */
  readonly id: string;
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
  readonly team?: string | undefined;
  readonly kind: "Application" | "Naisjob";
  readonly image?: string | undefined;
  readonly port: number;
  readonly ingresses: readonly string[];
  /** The variables with a plain `value`; those with `valueFrom` are the cluster's business. */
  readonly env: Readonly<Record<string, string>>;
  readonly paths: {
    readonly liveness?: string | undefined;
    readonly readiness?: string | undefined;
    readonly prometheus?: string | undefined;
  };
  readonly azure?: AzureDeclaration | undefined;
  readonly idporten?: { readonly enabled: boolean; readonly sidecar?: Sidecar | undefined } | undefined;
  readonly login?:
    | {
        readonly provider: string;
        readonly enforce: { readonly enabled: boolean; readonly excludePaths: readonly string[] };
      }
    | undefined;
  readonly tokenx?: { readonly enabled: boolean } | undefined;
  readonly maskinporten?:
    | {
        readonly enabled: boolean;
        readonly consumes: readonly { readonly name: string }[];
        readonly exposes: readonly ExposedScope[];
      }
    | undefined;
  /** An MCP server: a resource server that publishes its metadata (RFC 9728). Only in `portvakt.dev/v1`. */
  readonly mcp: boolean;
  /** How the workload proves who it is, where not by a key of its own. Only in `portvakt.dev/v1`. */
  readonly identity?:
    | { readonly spiffe?: string | undefined; readonly serviceAccount?: string | undefined }
    | undefined;
  readonly inbound: readonly InboundRule[];
  readonly outbound: {
    readonly rules: readonly OutboundRule[];
    readonly external: readonly { readonly host: string }[];
  };
  /** `inboundLine` is the line where a new inbound rule belongs, `specLine` that of `spec` itself. */
  readonly source: SourceLine & { readonly inboundLine: number; readonly specLine: number };
}

/** The three parts of `cluster:namespace:name`. */
export interface ApplicationId {
  readonly cluster: string;
  readonly namespace: string;
  readonly name: string;
}

const idPattern =
  /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)$/;

/**
 * Takes `cluster:namespace:name` apart.
 *
 * *Checks*: three DNS labels (RFC 1123: lower case, digits, `-`, at most 63 characters each), nothing around them.
 * *Does not check*: that such an application exists. Wildcards are not ids.
 * *Throws*: nothing; anything else gives `undefined`.
 */
export function parseApplicationId(text: string): ApplicationId | undefined {
  if (text.length > 191) return undefined;
  const match = idPattern.exec(text);
  if (match === null) return undefined;
  const [, cluster = "", namespace = "", name = ""] = match;
  return { cluster, namespace, name };
}

/** Puts an id together: `cluster:namespace:name`. */
export function formatApplicationId(id: ApplicationId): string {
  return `${id.cluster}:${id.namespace}:${id.name}`;
}
