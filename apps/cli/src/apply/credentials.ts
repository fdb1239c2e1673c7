import { join } from "node:path";
import type { JWK, ServerMetadata } from "@portvakt/oauth";
import type { Application } from "@portvakt/policy";
import { stringify } from "yaml";
import { writePrivate } from "../dev/keys.ts";

/** The variables of one application, as its token API reads them. */
export type Credentials = Readonly<Record<string, string>>;

/** What an application needs to be TokenX's client. */
export function tokenxCredentials(application: Application, key: JWK, server: ServerMetadata): Credentials {
  return {
    TOKEN_X_ENABLED: "true",
    TOKEN_X_CLIENT_ID: application.id,
    TOKEN_X_PRIVATE_JWK: JSON.stringify(key),
    TOKEN_X_ISSUER: server.issuer,
    TOKEN_X_WELL_KNOWN_URL: `${server.issuer}/.well-known/oauth-authorization-server`,
    TOKEN_X_JWKS_URI: server.jwks_uri ?? "",
    TOKEN_X_TOKEN_ENDPOINT: server.token_endpoint ?? "",
  };
}

/** A form to hand credentials over in: the end of the file's name, and its text. */
export interface Format {
  readonly suffix: string;
  readonly write: (application: Application, credentials: Credentials) => string;
}

/** The forms that there are. */
export const formats = {
  env: { suffix: ".env", write: envFile },
  secret: { suffix: ".secret.yaml", write: kubernetesSecret },
} as const satisfies Record<string, Format>;

/** Writes one application's credentials into a folder, for its owner's eyes only, and gives the file's name. */
export async function writeCredentials(
  folder: string,
  format: Format,
  application: Application,
  credentials: Credentials,
): Promise<string> {
  const file = join(folder, `${application.id.replaceAll(":", ".")}${format.suffix}`);
  await writePrivate(file, format.write(application, credentials));
  return file;
}

/** A line each, without quotes: so `node --env-file`, `docker run --env-file` and dotenv read the same. */
function envFile({ id }: Application, credentials: Credentials): string {
  const lines = Object.entries(credentials).map(([name, value]) => `${name}=${value}`);
  return [`# ${id}: credentials, written by portvakt apply`, ...lines, ""].join("\n");
}

/** What Kubernetes takes as the value of a label. */
const labelValue = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/**
 * A Secret that a pod takes whole with `envFrom`. Kubernetes reads YAML 1.1, to which a plain `on` is true and `no` false. A
 * team whose name is no label's value is left out.
 */
function kubernetesSecret({ name, namespace, team }: Application, credentials: Credentials): string {
  return stringify(
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: {
        name: `portvakt-tokenx-${name}`.slice(0, 253),
        namespace,
        labels: {
          app: name,
          ...(team !== undefined && labelValue.test(team) ? { team } : {}),
          "app.kubernetes.io/managed-by": "portvakt",
        },
      },
      type: "Opaque",
      stringData: credentials,
    },
    { lineWidth: 0, version: "1.1" },
  );
}
