import { signatureAlgorithms } from "@portvakt/oauth";
import type { SignatureAlgorithm } from "@portvakt/oauth";
import { defineSettings, setting } from "@portvakt/runtime/config";
import { commonSettings } from "@portvakt/runtime/process";
import { z } from "zod";
import { acrMappingProblem, ownClaims } from "./subject/claims.ts";

const algorithmNames = Object.keys(signatureAlgorithms) as [SignatureAlgorithm, ...SignatureAlgorithm[]];

const webUrl = z.url({ protocol: /^https?$/ });
const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });
/** Twice the same would be two sets of rules for one issuer. */
const allDifferent = (list: readonly { wellKnownUrl: string }[]): boolean =>
  new Set(list.map(({ wellKnownUrl }) => wellKnownUrl)).size === list.length;
const providersSchema = z
  .array(
    z.object({
      wellKnownUrl: webUrl,
      allowedClusterName: z.string().min(1).optional(),
      allowedSubjects: z
        .array(z.string())
        .min(1, "admits nobody; without it every subject is admitted")
        .optional(),
    }),
  )
  .refine(allDifferent, "two entries are of one issuer");
const mappingsSchema = z
  .record(webUrl, z.record(z.string(), z.record(z.string(), z.string())))
  .superRefine((byIssuer, context) => {
    for (const claims of Object.values(byIssuer))
      for (const [from, to] of Object.entries(claims["acr"] ?? {})) {
        const problem = acrMappingProblem(from, to);
        if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
      }
  });
const claimName = z
  .string()
  .min(1)
  .refine((name) => !ownClaims.has(name), "is a claim that this server alone writes");
/** ID-porten writes `unspecified` where a client asked for no resource: it stands for nobody. */
const audience = z
  .string()
  .min(1)
  .refine((aud) => aud !== "unspecified", "stands for no resource");
const rulesSchema = z.record(
  webUrl,
  z.object({
    audiences: z.array(audience).default([]),
    claims: z.array(claimName).optional(),
    logoutAudience: z.string().min(1).optional(),
  }),
);

const clustersSchema = z
  .array(z.object({ wellKnownUrl: webUrl, cluster: z.string().regex(/^[a-z0-9-]{1,63}$/) }))
  .refine(allDifferent, "two entries are of one issuer");

/** A parser for JSON settings whose message names the place, and not the value. */
function shaped<T>(schema: z.ZodType<T>): (value: unknown) => T {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new Error(`is not of the right shape at "${issue?.path.join(".") ?? ""}": ${issue?.message ?? ""}`);
  };
}

const ours = "PORTVAKT_TOKENX_";

/** Everything that can be set about TokenX. Names without our prefix are those of the server that it takes the place of. */
export const settings = defineSettings({
  bindAddress: setting.address({
    env: `${ours}BIND_ADDRESS`,
    default: "127.0.0.1:8080",
    doc: "Where TokenX listens; port 0 takes a free one.",
  }),
  port: setting.whole({
    env: [`${ours}PORT`, "APPLICATION_PORT"],
    min: 0,
    max: 65_535,
    optional: true,
    doc: "Listens on this port of every interface, whatever the bind address says.",
  }),
  issuer: setting.url({
    env: [`${ours}ISSUER`, "ISSUER_URL"],
    optional: true,
    doc: "The issuer identifier, as clients reach it; absent = where TokenX listens (for one machine).",
  }),
  databaseUrl: setting.secret({
    env: [`${ours}DATABASE_URL`, "DATABASE_URL", "DB_JDBC_URL"],
    optional: true,
    doc: "PostgreSQL (postgres://…, or jdbc:postgresql://…); absent = embedded PGlite.",
  }),
  dataDirectory: setting.text({
    env: `${ours}DATA_DIRECTORY`,
    default: ".portvakt/tokenx",
    doc: "Where embedded PGlite keeps the registry; `memory` keeps it nowhere.",
  }),
  sealKeys: setting.list({
    env: `${ours}SEAL_KEYS`,
    of: setting.secret({ env: "key", doc: "a key" }),
    optional: true,
    doc: "Keys that seal the signing keys in the database, each base64 of 32 bytes; the first seals, all open. Needed with PostgreSQL; beside PGlite a file is made.",
  }),
  subjectIssuers: setting.list({
    env: [`${ours}SUBJECT_ISSUERS`, "SUBJECT_TOKEN_ISSUERS"],
    of: setting.url({ env: "url", doc: "a well-known URL" }),
    default: "",
    doc: "Well-known URLs of the issuers whose tokens may be exchanged.",
  }),
  subjectMappings: setting.json({
    env: [`${ours}SUBJECT_MAPPINGS`, "SUBJECT_TOKEN_MAPPINGS"],
    parse: shaped(mappingsSchema),
    default: "{}",
    doc: "Claim values to be written differently: {wellKnownUrl: {claim: {from: to}}}. acr is never raised.",
  }),
  subjectRules: setting.json({
    env: `${ours}SUBJECT_RULES`,
    parse: shaped(rulesSchema),
    default: "{}",
    doc: "Per issuer: {wellKnownUrl: {audiences: [aud that stands for the whole platform], claims: [claims to take over], logoutAudience: aud of its logout tokens}}.",
  }),
  subjectAudience: setting.choice({
    env: `${ours}SUBJECT_AUDIENCE`,
    values: ["enforce", "observe"],
    default: "enforce",
    doc: "Whether external subject tokens that are not tied to the caller are refused, or only counted.",
  }),
  tokenLifetimeSeconds: setting.seconds({
    env: [`${ours}TOKEN_LIFETIME`, "TOKEN_EXPIRY_SECONDS"],
    default: 900,
    min: 10,
    max: 86_400,
    doc: "Longest life of an issued token; a subject token that ends earlier ends it earlier.",
  }),
  signingAlgorithms: setting.list({
    env: `${ours}SIGNING_ALGORITHMS`,
    of: setting.choice({ env: "alg", values: algorithmNames, doc: "an algorithm" }),
    default: "RS256",
    check: (list) => (list.length === 0 ? "names no algorithm" : undefined),
    doc: "Algorithms that issued tokens can be signed with; the first where a target asks for none.",
  }),
  keyPeriodSeconds: setting.seconds({
    env: `${ours}KEY_PERIOD`,
    default: "24h",
    min: 60,
    max: 31_536_000,
    doc: "How long one key signs before the next does.",
  }),
  keyAheadSeconds: setting.seconds({
    env: `${ours}KEY_AHEAD`,
    default: "1h",
    min: 0,
    max: 2_592_000,
    doc: "How long a key is published before it signs, at least: the time that verifiers cache the key set.",
  }),
  registrarId: setting.text({
    env: [`${ours}REGISTRAR_ID`, "AUTH_CLIENT_ID"],
    optional: true,
    doc: "The registrar that signs its own tokens, and the issuer of software statements.",
  }),
  registrarJwks: setting.json({
    env: [`${ours}REGISTRAR_JWKS`, "AUTH_CLIENT_JWKS"],
    parse: shaped(jwksSchema),
    optional: true,
    doc: "Public keys of software statements, and of that registrar's tokens.",
  }),
  registrarProviders: setting.json({
    env: [`${ours}REGISTRAR_PROVIDERS`, "AUTH_PROVIDER_CONFIGS"],
    parse: shaped(providersSchema),
    optional: true,
    doc: "Issuers of registrars' tokens: [{wellKnownUrl, allowedClusterName?, allowedSubjects?}].",
  }),
  registrarWellKnownUrl: setting.url({
    env: [`${ours}REGISTRAR_WELL_KNOWN_URL`, "AUTH_WELL_KNOWN_URL"],
    optional: true,
    doc: "One issuer of registrars' tokens without restrictions; REGISTRAR_PROVIDERS can say more.",
  }),
  readerId: setting.text({
    env: `${ours}READER_ID`,
    default: "console",
    doc: "The name (iss) of whoever may read registrations and decisions with a token signed by itself, and change nothing.",
  }),
  readerJwks: setting.json({
    env: `${ours}READER_JWKS`,
    parse: shaped(jwksSchema),
    optional: true,
    doc: "Public keys of that reader; absent = there is none.",
  }),
  registrarAudience: setting.list({
    env: [`${ours}REGISTRAR_AUDIENCE`, "AUTH_ACCEPTED_AUDIENCE"],
    optional: true,
    doc: "Audiences of registrars' tokens, any of which will do; absent = the issuer, and the registration endpoint.",
  }),
  workloadIssuers: setting.json({
    env: `${ours}WORKLOAD_ISSUERS`,
    parse: shaped(clustersSchema),
    default: "[]",
    doc: "Clusters whose workload tokens authenticate their applications: [{wellKnownUrl, cluster}].",
  }),
  ratePerSecond: setting.whole({
    env: `${ours}RATE_PER_SECOND`,
    default: 500,
    min: 1,
    max: 1_000_000,
    doc: "Token requests per client and second, on average.",
  }),
  rateBurst: setting.whole({
    env: `${ours}RATE_BURST`,
    default: 1_000,
    min: 1,
    max: 1_000_000,
    doc: "Token requests per client at once.",
  }),
  outageGraceSeconds: setting.seconds({
    env: `${ours}OUTAGE_GRACE`,
    default: "5m",
    min: 0,
    max: 3_600,
    doc: "How long known clients are served while the database is away; replays are then noticed by each replica for itself.",
  }),
  pollSeconds: setting.seconds({
    env: `${ours}POLL_INTERVAL`,
    default: "15s",
    min: 0.2,
    max: 3_600,
    doc: "How often the registry and keys are read afresh, should a notice have been missed.",
  }),
  decisionRetentionSeconds: setting.seconds({
    env: `${ours}DECISION_RETENTION`,
    default: "168h",
    min: 60,
    max: 31_536_000,
    doc: "How long refusals are kept in the database, to be explained by their decision id; of more than 100,000 the newest.",
  }),
  compatErrors: setting.flag({
    env: `${ours}COMPAT_ERRORS`,
    default: false,
    doc: "Writes error codes as the server that TokenX takes the place of did, where they differ from the RFCs.",
  }),
  compatClients: setting.flag({
    env: `${ours}COMPAT_CLIENTS`,
    default: false,
    doc: "Also takes assertions for the token endpoint or with aud in an array, undated software statements, and long-lived registrars' tokens.",
  }),
  ...commonSettings("tokenx"),
});
