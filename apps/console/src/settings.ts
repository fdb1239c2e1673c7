import type { JWK } from "@portvakt/oauth";
import { providers, type ProviderName } from "@portvakt/providers";
import {
  defineSettings,
  setting,
  SettingsError,
  type Problem,
  type SettingsOf,
} from "@portvakt/runtime/config";
import type { Secret } from "@portvakt/runtime/observe";
import { commonSettings } from "@portvakt/runtime/process";
import { z } from "zod";
import { isLoopback } from "./guard.ts";

const ours = "PORTVAKT_CONSOLE_";
const shortestSecret = 24;
const providerNames = Object.keys(providers) as [ProviderName, ...ProviderName[]];

const webUrl = z.url({ protocol: /^https?$/ });
const issuersSchema = z
  .array(z.object({ provider: z.enum(providerNames).optional(), wellKnownUrl: webUrl }))
  .max(50);
const jwkSchema = z.looseObject({ kty: z.string() });

function shaped<T>(schema: z.ZodType<T>): (value: unknown) => T {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Error(`is not of the right shape at "${issue?.path.join(".") ?? ""}": ${issue?.message ?? ""}`);
  };
}

/** Everything that can be set about the console. */
export const settings = defineSettings({
  bindAddress: setting.address({
    env: `${ours}BIND_ADDRESS`,
    default: "127.0.0.1:7006",
    doc: "Where the console listens. Other than loopback needs an access secret, or the login proxy in front.",
  }),
  accessSecret: setting.secret({
    env: `${ours}ACCESS_SECRET`,
    optional: true,
    check: (secret) =>
      secret.reveal().length < shortestSecret ? `is shorter than ${shortestSecret} characters` : undefined,
    doc: "What browsers have to give as password (HTTP Basic, any user name); at least 24 characters.",
  }),
  loginProvider: setting.choice({
    env: `${ours}LOGIN_PROVIDER`,
    values: providerNames,
    default: "entra_id",
    doc: "Whose access tokens the login proxy in front sends.",
  }),
  loginWellKnownUrl: setting.url({
    env: [`${ours}LOGIN_WELL_KNOWN_URL`, "AZURE_APP_WELL_KNOWN_URL"],
    optional: true,
    doc: "Metadata of that provider; set, every request needs a bearer token of its own for this console.",
  }),
  loginAudience: setting.text({
    env: [`${ours}LOGIN_AUDIENCE`, "AZURE_APP_CLIENT_ID"],
    optional: true,
    doc: "The audience of those tokens: the console's client id.",
  }),
  loginGroups: setting.list({
    env: `${ours}LOGIN_GROUPS`,
    optional: true,
    doc: "Who may look: members of any of these groups (claim groups); `*` is everybody whom the provider gives such a token.",
  }),
  manifests: setting.list({
    env: `${ours}MANIFESTS`,
    default: "",
    doc: "Manifests, and folders of them; read anew when they change.",
  }),
  values: setting.list({
    env: `${ours}VALUES`,
    default: "",
    doc: "Files with values for {{ name }} in the manifests, YAML or JSON; the last one counts.",
  }),
  cluster: setting.text({
    env: `${ours}CLUSTER`,
    default: "local",
    doc: "The cluster that the manifests are for.",
  }),
  namespace: setting.text({
    env: `${ours}NAMESPACE`,
    default: "default",
    doc: "The namespace of a manifest that names none.",
  }),
  applicationsFile: setting.text({
    env: `${ours}APPLICATIONS_FILE`,
    optional: true,
    doc: "The applications in force as `portvakt dev` writes them down, in the place of manifests.",
  }),
  manifestRoot: setting.text({
    env: `${ours}MANIFEST_ROOT`,
    default: "",
    doc: "What is left out at the beginning of manifests' paths where they are shown.",
  }),
  tokenxUrl: setting.url({
    env: `${ours}TOKENX_URL`,
    optional: true,
    doc: "TokenX (its issuer identifier), for what it decided and whom it knows; absent = neither is shown.",
  }),
  readerId: setting.text({
    env: `${ours}READER_ID`,
    default: "console",
    doc: "The name of the reader at TokenX (PORTVAKT_TOKENX_READER_ID).",
  }),
  readerJwk: setting.secret({
    env: `${ours}READER_JWK`,
    optional: true,
    doc: "The reader's private key, a JWK with kid; TokenX has its public half (PORTVAKT_TOKENX_READER_JWKS).",
  }),
  serversFile: setting.text({
    env: `${ours}SERVERS_FILE`,
    optional: true,
    doc: "JSON file with the servers to show, read anew when it changes: [{name, address?, ready? (a URL that answers 200 when it is ready), application? (whose it is)}].",
  }),
  issuers: setting.json({
    env: `${ours}ISSUERS`,
    parse: shaped(issuersSchema),
    default: "[]",
    doc: "Issuers whose tokens can be verified: [{wellKnownUrl, provider? (idporten, entra_id, maskinporten or tokenx)}].",
  }),
  ...commonSettings("console"),
});

export type Settings = SettingsOf<typeof settings>;

/**
 * Finds what settings mean wrongly together: a console that strangers could reach above all.
 * *Throws*: SettingsError.
 */
export function check(values: Settings): void {
  const problems: Problem[] = [];
  const { bindAddress, accessSecret, loginWellKnownUrl, loginAudience, loginGroups = [] } = values;
  if (!isLoopback(bindAddress.host) && accessSecret === undefined && loginWellKnownUrl === undefined)
    problems.push({
      env: `${ours}BIND_ADDRESS`,
      problem: "is not a loopback address, and whoever reaches the console could look at everything",
      hint: `bind to 127.0.0.1, set ${ours}ACCESS_SECRET, or put the login proxy in front and set ${ours}LOGIN_WELL_KNOWN_URL`,
    });
  if (loginWellKnownUrl !== undefined && loginAudience === undefined)
    problems.push({
      env: `${ours}LOGIN_AUDIENCE`,
      problem: "is needed to know tokens for the console from others",
    });
  if (loginWellKnownUrl !== undefined && loginGroups.length === 0)
    problems.push({
      env: `${ours}LOGIN_GROUPS`,
      problem: "names nobody who may look",
      hint: "name groups, or write * for everybody whom the provider gives a token for the console",
    });
  if ((values.tokenxUrl === undefined) !== (values.readerJwk === undefined))
    problems.push({
      env: values.tokenxUrl === undefined ? `${ours}TOKENX_URL` : `${ours}READER_JWK`,
      problem: "is missing: TokenX is read with a key",
    });
  if (values.readerJwk !== undefined && keyIn(values.readerJwk) === undefined)
    problems.push({ env: `${ours}READER_JWK`, problem: "is no private JWK" });
  if (values.manifests.length > 0 && values.applicationsFile !== undefined)
    problems.push({ env: `${ours}APPLICATIONS_FILE`, problem: `has no place beside ${ours}MANIFESTS` });
  if (problems.length > 0) throw new SettingsError(problems);
}

/** The private JWK in a secret, or undefined when there is none. */
export function keyIn(secret: Secret): JWK | undefined {
  try {
    const parsed = jwkSchema.safeParse(JSON.parse(secret.reveal()));
    return parsed.success && typeof parsed.data["d"] === "string" ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
