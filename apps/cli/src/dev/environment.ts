import { dirname, join } from "node:path";
import type { Application } from "@portvakt/policy";
import { endpointsOf, type Endpoints, type ProviderEndpoints } from "./endpoints.ts";
import { consoleKey, keyName, registrarKey, sealName, type Keys } from "./keys.ts";
import type { Plan, PlannedApplication } from "./plan.ts";
import { idportenAudience } from "./registrations.ts";

type Variables = Record<string, string>;

/** What every child may keep of the surrounding environment: enough to run a program, nothing that configures ours. */
export function inherited(env: Readonly<Record<string, string | undefined>>): Variables {
  const kept = [
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TZ",
    "TMPDIR",
    "TEMP",
    "SystemRoot",
    "NODE_COMPILE_CACHE",
    "NODE_EXTRA_CA_CERTS",
  ];
  // where traces go is the same for all
  const traces = Object.keys(env).filter((name) => name.startsWith("OTEL_"));
  return Object.fromEntries(
    [...kept, ...traces].flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

/** The application's own variables from its manifest, and those that the platform injects, whose addresses alone hold here. */
export function applicationVariables(plan: Plan, planned: PlannedApplication): Record<string, string> {
  return { ...ownVariables(plan, planned.application), ...platformVariables(plan, planned) };
}

/** What an application's manifest says of a variable, and the platform says otherwise: names, and the platform's values. */
export function overruled(plan: Plan, planned: PlannedApplication): Variables {
  const own = ownVariables(plan, planned.application);
  return Object.fromEntries(
    Object.entries(platformVariables(plan, planned)).filter(
      ([name, value]) => Object.hasOwn(own, name) && own[name] !== value,
    ),
  );
}

function platformVariables(plan: Plan, planned: PlannedApplication): Variables {
  const { application, tokensPort, clients } = planned;
  const at = endpointsOf(plan);
  return {
    NAIS_APP_NAME: application.name,
    NAIS_NAMESPACE: application.namespace,
    NAIS_CLUSTER_NAME: application.cluster,
    NAIS_CLIENT_ID: application.id,
    PORT: String(planned.port),
    ...(tokensPort === undefined
      ? {}
      : {
          NAIS_TOKEN_ENDPOINT: `http://127.0.0.1:${tokensPort}/api/v1/token`,
          NAIS_TOKEN_EXCHANGE_ENDPOINT: `http://127.0.0.1:${tokensPort}/api/v1/token/exchange`,
          NAIS_TOKEN_INTROSPECTION_ENDPOINT: `http://127.0.0.1:${tokensPort}/api/v1/introspect`,
        }),
    ...(clients.idporten === undefined
      ? {}
      : { IDPORTEN_AUDIENCE: idportenAudience, ...provider("IDPORTEN", at.idporten) }),
    ...(clients.entra === undefined
      ? {}
      : {
          AZURE_APP_CLIENT_ID: clients.entra,
          AZURE_APP_WELL_KNOWN_URL: at.entra.wellKnown,
          AZURE_OPENID_CONFIG_ISSUER: at.entra.issuer,
          AZURE_OPENID_CONFIG_JWKS_URI: at.entra.jwksUri,
        }),
    ...(clients.tokenx === undefined
      ? {}
      : { TOKEN_X_CLIENT_ID: clients.tokenx, ...provider("TOKEN_X", at.tokenx) }),
    ...(clients.maskinporten === undefined ? {} : provider("MASKINPORTEN", at.maskinporten)),
  };
}

function provider(prefix: string, endpoints: ProviderEndpoints): Variables {
  return {
    [`${prefix}_WELL_KNOWN_URL`]: endpoints.wellKnown,
    [`${prefix}_ISSUER`]: endpoints.issuer,
    [`${prefix}_JWKS_URI`]: endpoints.jwksUri,
  };
}

/** `spec.env`, with the addresses of applications that run here in place of their names in the cluster. */
function ownVariables(plan: Plan, application: Application): Variables {
  return Object.fromEntries(
    Object.entries(application.env).map(([name, value]) => [
      name,
      hereInstead(plan, application.namespace, value),
    ]),
  );
}

/**
 * `http://name`, `http://name.namespace` (with or without `.svc.cluster.local`) and an application's ingress become its
 * address on this machine; any other value stays as it is.
 */
export function hereInstead(plan: Plan, namespace: string, value: string): string {
  if (!URL.canParse(value)) return value;
  const url = new URL(value);
  const target = plan.applications.find(({ application }) => {
    const names = [
      ...(application.namespace === namespace ? [application.name] : []),
      `${application.name}.${application.namespace}`,
      `${application.name}.${application.namespace}.svc.cluster.local`,
    ];
    const hosts = application.ingresses.map((ingress) => new URL(ingress).host);
    return (url.protocol === "http:" && names.includes(url.host)) || hosts.includes(url.host);
  });
  if (target === undefined) return value;
  const rest = `${url.pathname}${url.search}`;
  return rest === "/" && !value.endsWith("/") ? target.url : `${target.url}${rest}`;
}

/** The token API's variables: its own listener, and every provider that the application uses with its key there. */
export function tokensVariables(plan: Plan, planned: PlannedApplication, keys: Keys): Variables {
  const at = endpointsOf(plan);
  const { clients } = planned;
  const jwk = (name: keyof typeof clients): string => JSON.stringify(keys.private(keyName(planned, name)));
  return {
    PORTVAKT_TOKENS_BIND_ADDRESS: `127.0.0.1:${planned.tokensPort}`,
    ...(clients.idporten === undefined
      ? {}
      : { IDPORTEN_ENABLED: "true", IDPORTEN_AUDIENCE: idportenAudience, ...whole("IDPORTEN", at.idporten) }),
    ...(clients.entra === undefined
      ? {}
      : {
          AZURE_ENABLED: "true",
          AZURE_APP_CLIENT_ID: clients.entra,
          AZURE_APP_JWK: jwk("entra"),
          AZURE_APP_WELL_KNOWN_URL: at.entra.wellKnown,
          AZURE_OPENID_CONFIG_ISSUER: at.entra.issuer,
          AZURE_OPENID_CONFIG_JWKS_URI: at.entra.jwksUri,
          AZURE_OPENID_CONFIG_TOKEN_ENDPOINT: at.entra.tokenEndpoint,
        }),
    ...(clients.tokenx === undefined
      ? {}
      : {
          TOKEN_X_ENABLED: "true",
          TOKEN_X_CLIENT_ID: clients.tokenx,
          TOKEN_X_PRIVATE_JWK: jwk("tokenx"),
          ...whole("TOKEN_X", at.tokenx),
        }),
    ...(clients.maskinporten === undefined
      ? {}
      : {
          MASKINPORTEN_ENABLED: "true",
          MASKINPORTEN_CLIENT_ID: clients.maskinporten,
          MASKINPORTEN_CLIENT_JWK: jwk("maskinporten"),
          ...whole("MASKINPORTEN", at.maskinporten),
        }),
  };
}

function whole(prefix: string, endpoints: ProviderEndpoints): Variables {
  return { ...provider(prefix, endpoints), [`${prefix}_TOKEN_ENDPOINT`]: endpoints.tokenEndpoint };
}

/** The login proxy's variables. The provider's preset brings the rest. */
export function loginVariables(plan: Plan, planned: PlannedApplication, keys: Keys): Variables {
  const { login, application, clients, url } = planned;
  if (login === undefined) return {};
  const at = endpointsOf(plan);
  const sidecar = login.provider === "idporten" ? application.idporten?.sidecar : application.azure?.sidecar;
  const { liveness, readiness, prometheus } = application.paths;
  const ignored = [...(sidecar?.autoLoginIgnorePaths ?? []), liveness, readiness, prometheus];
  return {
    PORTVAKT_LOGIN_BIND_ADDRESS: `127.0.0.1:${login.port}`,
    PORTVAKT_LOGIN_INGRESSES: url,
    PORTVAKT_LOGIN_UPSTREAM_HOST: `127.0.0.1:${planned.port}`,
    PORTVAKT_LOGIN_AUTO_LOGIN: String(sidecar?.autoLogin ?? false),
    PORTVAKT_LOGIN_AUTO_LOGIN_IGNORE_PATHS: ignored.filter((path) => path !== undefined).join(","),
    // every address here is on the host `localhost`, where browsers share one jar of cookies between ports
    PORTVAKT_LOGIN_COOKIE_PREFIX: `portvakt.${planned.name}`,
    PORTVAKT_LOGIN_COOKIE_SECURE: "false",
    PORTVAKT_LOGIN_ENCRYPTION_KEYS: keys.secret(sealName(planned)),
    PORTVAKT_LOGIN_PROVIDER: login.provider,
    ...(login.provider === "idporten"
      ? {
          IDPORTEN_CLIENT_ID: clients.idporten ?? "",
          IDPORTEN_CLIENT_JWK: JSON.stringify(keys.private(keyName(planned, "idporten"))),
          IDPORTEN_WELL_KNOWN_URL: at.idporten.wellKnown,
          PORTVAKT_LOGIN_RESOURCE_INDICATOR: idportenAudience,
        }
      : {
          AZURE_APP_CLIENT_ID: clients.entra ?? "",
          AZURE_APP_JWK: JSON.stringify(keys.private(keyName(planned, "entra"))),
          AZURE_APP_WELL_KNOWN_URL: at.entra.wellKnown,
        }),
    ...(sidecar?.level === undefined ? {} : { PORTVAKT_LOGIN_ACR_VALUES: sidecar.level }),
    ...(sidecar?.locale === undefined ? {} : { PORTVAKT_LOGIN_UI_LOCALES: sidecar.locale }),
  };
}

/** TokenX's variables: its data in `folder`, ID-porten and itself as issuers of subject tokens, our registrar's key. */
export function tokenxVariables(plan: Plan, keys: Keys, folder: string): Variables {
  const at: Endpoints = endpointsOf(plan);
  return {
    PORTVAKT_TOKENX_BIND_ADDRESS: `127.0.0.1:${plan.ports.tokenx}`,
    PORTVAKT_TOKENX_ISSUER: at.tokenx.issuer,
    PORTVAKT_TOKENX_DATA_DIRECTORY: folder,
    PORTVAKT_TOKENX_SUBJECT_ISSUERS: at.idporten.wellKnown,
    PORTVAKT_TOKENX_SEAL_KEYS: keys.secret("tokenx"),
    PORTVAKT_TOKENX_READER_ID: consoleKey,
    PORTVAKT_TOKENX_READER_JWKS: JSON.stringify({ keys: [keys.public(consoleKey)] }),
    AUTH_CLIENT_ID: registrarKey,
    AUTH_CLIENT_JWKS: JSON.stringify({ keys: [keys.public(registrarKey)] }),
  };
}

/** The stand-ins' variables. */
export function standinsVariables(plan: Plan, registrationsFile: string): Variables {
  const { ports } = plan;
  return {
    PORTVAKT_STANDINS_IDPORTEN_ADDRESS: `127.0.0.1:${ports.idporten}`,
    PORTVAKT_STANDINS_ENTRA_ADDRESS: `127.0.0.1:${ports.entra}`,
    PORTVAKT_STANDINS_MASKINPORTEN_ADDRESS: `127.0.0.1:${ports.maskinporten}`,
    PORTVAKT_STANDINS_CONTROL_ADDRESS: `127.0.0.1:${ports.control}`,
    PORTVAKT_STANDINS_REGISTRATIONS: registrationsFile,
    PORTVAKT_STANDINS_KEYS_FOLDER: join(dirname(registrationsFile), "standins"),
  };
}

/** The console's variables: what is in force, TokenX as its reader, and where every server is listed. `manifestRoot` is left out of paths. */
export function consoleVariables(
  plan: Plan,
  keys: Keys,
  places: Readonly<Record<"applicationsFile" | "serversFile" | "manifestRoot", string>>,
): Variables {
  const at = endpointsOf(plan);
  const issuers = [
    { provider: "idporten", wellKnownUrl: at.idporten.wellKnown },
    { provider: "entra_id", wellKnownUrl: at.entra.wellKnown },
    { provider: "maskinporten", wellKnownUrl: at.maskinporten.wellKnown },
    { provider: "tokenx", wellKnownUrl: at.tokenx.wellKnown },
  ];
  return {
    PORTVAKT_CONSOLE_BIND_ADDRESS: `127.0.0.1:${plan.ports.console}`,
    PORTVAKT_CONSOLE_APPLICATIONS_FILE: places.applicationsFile,
    PORTVAKT_CONSOLE_MANIFEST_ROOT: places.manifestRoot,
    PORTVAKT_CONSOLE_TOKENX_URL: at.tokenx.issuer,
    PORTVAKT_CONSOLE_READER_ID: consoleKey,
    PORTVAKT_CONSOLE_READER_JWK: JSON.stringify(keys.private(consoleKey)),
    PORTVAKT_CONSOLE_SERVERS_FILE: places.serversFile,
    PORTVAKT_CONSOLE_ISSUERS: JSON.stringify(issuers),
  };
}

/** Every server of a plan, and where it says whether it is ready, for the console. */
export function serversOf(plan: Plan): readonly Readonly<Record<string, string>>[] {
  const at = endpointsOf(plan);
  const standin = (name: string, { wellKnown }: ProviderEndpoints): Record<string, string> => ({
    name: `${name}, stand-in`,
    address: new URL(wellKnown).origin,
    ready: wellKnown,
  });
  return [
    { name: "TokenX", address: at.tokenx.issuer, ready: `${at.tokenx.issuer}/internal/isready` },
    standin("ID-porten", at.idporten),
    standin("Entra ID", at.entra),
    standin("Maskinporten", at.maskinporten),
    ...plan.applications.flatMap(({ application, url, port, login, tokensPort, statusPort }) => {
      const { id, paths } = application;
      const path = paths.readiness ?? paths.liveness;
      const own = { application: id, name: "application", address: url };
      const sidecar = login === undefined ? "token API" : "login proxy and token API";
      return [
        path === undefined ? own : { ...own, ready: new URL(path, `http://127.0.0.1:${port}`).href },
        ...(tokensPort === undefined
          ? []
          : [{ application: id, name: sidecar, ready: `http://127.0.0.1:${statusPort}/readyz` }]),
      ];
    }),
  ];
}
