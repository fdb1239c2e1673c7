import { isSignatureAlgorithm, type SignatureAlgorithm } from "@portvakt/oauth";
import { exchangeGrants, machineGrants, providers } from "@portvakt/providers";
import { z } from "zod";

const keysOf = <K extends string>(table: Readonly<Record<K, unknown>>): [K, ...K[]] =>
  Object.keys(table) as [K, ...K[]];

const url = z.url({ protocol: /^https?$/ });
const taken = Object.values(providers).flatMap(({ name, aliases }) => [name, ...aliases]);

const configuredProvider = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,31}$/, "is not a name of small letters, digits, - and _")
    .refine((name) => !taken.includes(name), "is the name of a provider that is built in"),
  well_known_url: url.optional(),
  issuer: z.string().min(1).optional(),
  jwks_uri: url.optional(),
  token_endpoint: url.optional(),
  introspection_endpoint: url.optional(),
  /** The audience of tokens that this application receives. */
  audience: z.string().min(1).optional(),
  client_id: z.string().min(1).optional(),
  client_jwk_file: z.string().min(1).optional(),
  client_secret_file: z.string().min(1).optional(),
  token: z.enum(keysOf(machineGrants)).optional(),
  exchange: z.enum(keysOf(exchangeGrants)).optional(),
  algorithms: z
    .array(z.custom<SignatureAlgorithm>(isSignatureAlgorithm, "is not an asymmetric signature algorithm"))
    .min(1)
    .default(["RS256"]),
});

export type ConfiguredProvider = z.output<typeof configuredProvider>;

/** Reads the setting for further providers. Throws: Error with the first thing that is wrong; no value is repeated. */
export function parseConfiguredProviders(value: unknown): readonly ConfiguredProvider[] {
  const result = z.array(configuredProvider).max(20).safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    throw new Error(`is wrong at ${issue?.path.join(".") ?? "its top"}: ${issue?.message ?? "not a list"}`);
  }
  const twice = result.data.find((one, at) => result.data.findIndex(({ name }) => name === one.name) !== at);
  if (twice !== undefined) throw new Error(`names ${twice.name} twice`);
  return result.data;
}
