import type { ClaimOnce } from "@portvakt/issuer";
import {
  anyAudience,
  isSignatureAlgorithm,
  localKeySet,
  peekJwt,
  ProtocolError,
  signatureAlgorithms,
  verifyJwt,
} from "@portvakt/oauth";
import type { Clock, JWK, JwtClaims, SignatureAlgorithm } from "@portvakt/oauth";
import { parseApplicationId } from "@portvakt/policy";
import type { InboundRule } from "@portvakt/policy";
import { z } from "zod";
import type { TokenWishes } from "../registry/registration.ts";

/** A software statement that may be taken. */
export interface JudgedStatement {
  readonly statement: Statement;
  /** Takes it. *Throws* ProtocolError invalid_software_statement when it was taken before. */
  take(): Promise<void>;
}

/** What a software statement says of an application, checked. */
export interface Statement {
  readonly appId: string;
  readonly inbound: readonly InboundRule[];
  readonly subjectClients: Readonly<Record<string, readonly string[]>>;
  readonly token: TokenWishes;
  /** `dpop_bound_access_tokens`, where the statement says it. */
  readonly dpopBound: boolean | undefined;
  /** Its `iat`, seconds. */
  readonly statedAt: number;
}

export interface StatementOptions {
  /** Who signs statements (AUTH_CLIENT_ID); absent = whoever holds one of the keys (AUTH_CLIENT_JWKS). */
  readonly issuer: string | undefined;
  readonly jwks: readonly JWK[];
  /** Algorithms that tokens for a target may be signed with here. */
  readonly signingAlgorithms: readonly SignatureAlgorithm[];
  /** Takes statements without iss, iat, exp and jti, as older registrars write them. */
  readonly acceptUndated: boolean;
  readonly claimJti: ClaimOnce;
  readonly now: Clock;
}

const maxLifetimeSeconds = 600;
const toleranceSeconds = 10;
const name = z.string().min(1).max(255);
const part = z.union([z.literal("*"), z.string().regex(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/)]);
const names = z.array(z.string().max(255)).max(200).default([]);
const ruleSchema = z.object({
  application: part,
  namespace: part,
  cluster: part,
  roles: names,
  scopes: names,
  source: z.object({ file: z.string().max(1_000), line: z.number().int().nonnegative() }).optional(),
});
const claimsSchema = z.object({
  appId: z.string().refine((id) => parseApplicationId(id) !== undefined, "is not cluster:namespace:name"),
  accessPolicyInbound: z.array(name).max(10_000).default([]),
  portvakt_rules: z.array(ruleSchema).max(10_000).optional(),
  portvakt_subject_clients: z.record(name, z.array(name).max(100)).default({}),
  portvakt_token: z
    .object({
      typ: z.enum(["JWT", "at+jwt"]).default("JWT"),
      alg: z.string().optional(),
      dpop: z.literal("required").optional(),
    })
    .default({ typ: "JWT" }),
  dpop_bound_access_tokens: z.boolean().optional(),
});

/**
 * Makes the judge of software statements (RFC 7591 section 2.3).
 * *Checks* signature, issuer, that it lives at most 10 minutes, the application's id, and every rule's form; by `take`, that it is used once.
 * *Does not check* whether the registrar may touch that application. *Throws* ProtocolError invalid_software_statement.
 */
export function statementJudge(options: StatementOptions): (raw: string) => Promise<JudgedStatement> {
  const keys = localKeySet(options.jwks);
  const algorithms = Object.keys(signatureAlgorithms) as SignatureAlgorithm[];

  async function judgeDated(raw: string): Promise<JwtClaims> {
    const required = ["iss", "iat", "exp", "jti"];
    const result = await verifyJwt(
      raw,
      {
        issuer: options.issuer ?? ((claims) => claims.iss),
        audience: anyAudience,
        keys,
        algorithms,
        required,
        toleranceSeconds,
        maxBytes: 1_000_000,
      },
      options.now,
    );
    if (!result.ok) throw invalidStatement(result.refusal.message);
    const { exp = 0, iat = 0 } = result.token.claims;
    if (exp - iat > maxLifetimeSeconds)
      throw invalidStatement(`it lives longer than ${maxLifetimeSeconds} s`);
    return result.token.claims;
  }

  async function take({ jti, exp = 0, iss = "" }: JwtClaims): Promise<void> {
    if (typeof jti !== "string" || jti === "" || jti.length > 255)
      throw invalidStatement("its jti is unusable");
    if (!(await options.claimJti(`statement\n${jti}`, exp + toleranceSeconds, iss)))
      throw invalidStatement("it was used before");
  }

  /** Its signature, and the times that it has: older registrars write nothing else that could be checked. */
  async function judgeUndated(raw: string): Promise<JwtClaims> {
    const peeked = peekJwt(raw);
    const alg = peeked?.header["alg"];
    if (peeked === undefined || !isSignatureAlgorithm(alg)) throw invalidStatement("it is not a signed JWT");
    const { kid } = peeked.header;
    const found = await keys.find({ alg, ...(typeof kid === "string" && { kid }) });
    const end = raw.lastIndexOf(".");
    const signature = Buffer.from(raw.slice(end + 1), "base64url");
    const verified = found.ok && (await found.key.verify(Buffer.from(raw.slice(0, end)), signature));
    if (!verified) throw invalidStatement("its signature is not that of a trusted registrar");
    const { exp, iat } = peeked.claims;
    if (exp !== undefined && exp + toleranceSeconds <= options.now())
      throw invalidStatement("it has expired");
    // No statement after it would count.
    if (iat !== undefined && iat - toleranceSeconds > options.now())
      throw invalidStatement("it is of the future");
    return peeked.claims;
  }

  return async (raw) => {
    const undated = options.acceptUndated && peekJwt(raw)?.claims.jti === undefined;
    const claims = undated ? await judgeUndated(raw) : await judgeDated(raw);
    const statement = readStatement(claims, options);
    return { statement, take: async () => (undated ? undefined : take(claims)) };
  };
}

function readStatement(claims: JwtClaims, options: StatementOptions): Statement {
  const parsed = claimsSchema.safeParse(claims);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalidStatement(`${issue?.path.join(".") ?? "a claim"}: ${issue?.message ?? "is malformed"}`);
  }
  const {
    appId,
    accessPolicyInbound,
    portvakt_rules: rules,
    portvakt_subject_clients: subjectClients,
    portvakt_token: token,
    dpop_bound_access_tokens: dpopBound,
  } = parsed.data;
  const alg = options.signingAlgorithms.find((one) => one === token.alg);
  if (token.alg !== undefined && alg === undefined)
    throw invalidStatement("portvakt_token.alg is not an algorithm that signs here");
  return {
    appId,
    inbound: rules ?? accessPolicyInbound.flatMap(ruleOfId),
    subjectClients,
    token: {
      typ: token.typ,
      ...(alg !== undefined && { alg }),
      ...(token.dpop !== undefined && { dpop: token.dpop }),
    },
    dpopBound,
    statedAt: claims.iat ?? options.now(),
  };
}

/** An entry of accessPolicyInbound as a rule. What is no application's id admits nobody, and is left out. */
function ruleOfId(id: string): InboundRule[] {
  const parsed = parseApplicationId(id);
  if (parsed === undefined) return [];
  const { name: application, namespace, cluster } = parsed;
  return [{ application, namespace, cluster, roles: [], scopes: [] }];
}

function invalidStatement(why: string): ProtocolError {
  return new ProtocolError("invalid_software_statement", `the software statement is refused: ${why}`);
}
