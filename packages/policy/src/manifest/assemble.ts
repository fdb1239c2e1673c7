import { formatApplicationId } from "../application.ts";
import type { Application, AzureDeclaration, InboundRule, OutboundRule, Sidecar } from "../application.ts";
import type { ManifestDocument } from "./documents.ts";
import type { Manifest } from "./schema.ts";

type Spec = NonNullable<Manifest["spec"]>;
interface Home {
  readonly cluster: string;
  readonly namespace: string;
}

/** The application that a checked manifest declares, with the platform's defaults filled in. */
export function toApplication(
  manifest: Manifest,
  document: ManifestDocument,
  defaults: { readonly cluster: string; readonly namespace?: string },
): Application {
  const spec: Spec = manifest.spec ?? {};
  const { name } = manifest.metadata;
  const namespace = manifest.metadata.namespace ?? defaults.namespace ?? "";
  const home = { cluster: defaults.cluster, namespace };
  return {
    id: formatApplicationId({ ...home, name }),
    ...home,
    name,
    team: manifest.metadata.labels?.team,
    kind: manifest.kind,
    image: spec.image,
    port: spec.port ?? 8080,
    ingresses: spec.ingresses ?? [],
    env: environmentOf(spec),
    paths: {
      liveness: spec.liveness?.path,
      readiness: spec.readiness?.path,
      prometheus: spec.prometheus?.path,
    },
    azure: spec.azure && azureOf(spec.azure),
    idporten: spec.idporten && {
      enabled: spec.idporten.enabled ?? false,
      sidecar: spec.idporten.sidecar && sidecarOf(spec.idporten.sidecar),
    },
    login: spec.login && {
      provider: spec.login.provider,
      enforce: {
        enabled: spec.login.enforce?.enabled ?? false,
        excludePaths: spec.login.enforce?.excludePaths ?? [],
      },
    },
    tokenx: spec.tokenx && { enabled: spec.tokenx.enabled ?? false },
    maskinporten: spec.maskinporten && maskinportenOf(spec.maskinporten),
    mcp: spec.mcp ?? false,
    identity: spec.identity,
    inbound: inboundOf(spec, home, document),
    outbound: outboundOf(spec, home),
    source: {
      file: document.file,
      line: document.locate([], "key").line,
      inboundLine: document.locate(["spec", "accessPolicy", "inbound", "rules"], "key").line,
      specLine: document.locate(["spec"], "key").line,
    },
  };
}

function environmentOf(spec: Spec): Record<string, string> {
  const plain = (spec.env ?? []).flatMap(({ name, value }) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(plain);
}

function sidecarOf(sidecar: NonNullable<NonNullable<Spec["idporten"]>["sidecar"]>): Sidecar {
  return {
    enabled: sidecar.enabled ?? false,
    autoLogin: sidecar.autoLogin ?? false,
    autoLoginIgnorePaths: sidecar.autoLoginIgnorePaths ?? [],
    level: sidecar.level,
    locale: sidecar.locale,
  };
}

function azureOf(azure: NonNullable<Spec["azure"]>): AzureDeclaration {
  const { application, sidecar } = azure;
  return {
    enabled: application?.enabled ?? false,
    allowAllUsers: application?.allowAllUsers ?? false,
    groups: (application?.claims?.groups ?? []).map((group) => group.id),
    tenant: application?.tenant,
    replyUrls: application?.replyURLs ?? [],
    sidecar: sidecar && sidecarOf(sidecar),
  };
}

function maskinportenOf(declared: NonNullable<Spec["maskinporten"]>): Application["maskinporten"] {
  return {
    enabled: declared.enabled ?? false,
    consumes: declared.scopes?.consumes ?? [],
    exposes: (declared.scopes?.exposes ?? []).map((scope) => ({
      name: scope.name,
      product: scope.product,
      separator: scope.separator,
      enabled: scope.enabled ?? false,
      consumers: (scope.consumers ?? []).filter(({ enabled }) => enabled ?? true).map(({ orgno }) => orgno),
      atMaxAge: scope.atMaxAge ?? 30,
      accessibleForAll: scope.accessibleForAll ?? false,
      delegationSource: scope.delegationSource,
      visibility: scope.visibility ?? "public",
    })),
  };
}

function inboundOf(spec: Spec, home: Home, document: ManifestDocument): InboundRule[] {
  return (spec.accessPolicy?.inbound?.rules ?? []).map((rule, index) => ({
    application: rule.application,
    namespace: rule.namespace ?? home.namespace,
    cluster: rule.cluster ?? home.cluster,
    roles: rule.permissions?.roles ?? [],
    scopes: rule.permissions?.scopes ?? [],
    source: {
      file: document.file,
      line: document.locate(["spec", "accessPolicy", "inbound", "rules", index]).line,
    },
  }));
}

function outboundOf(spec: Spec, home: Home): Application["outbound"] {
  const outbound = spec.accessPolicy?.outbound;
  const rules: OutboundRule[] = (outbound?.rules ?? []).map((rule) => ({
    application: rule.application,
    namespace: rule.namespace ?? home.namespace,
    cluster: rule.cluster ?? home.cluster,
  }));
  const external = (outbound?.external ?? []).flatMap(({ host }) => (host === undefined ? [] : [{ host }]));
  return { rules, external };
}
