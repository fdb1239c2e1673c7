import { localKeySet, peekJwt, ProtocolError, signatureAlgorithms, verifyJwt } from "@portvakt/oauth";
import type { Clock, JWK, KeySet, SignatureAlgorithm } from "@portvakt/oauth";
import type { TrustedIssuers } from "../trusted-issuers.ts";

/** What a registrar may do. */
export interface RegistrarRules {
  /** Only applications of this cluster. */
  readonly allowedClusterName?: string | undefined;
  /** Only these subjects of the issuer's tokens. */
  readonly allowedSubjects?: readonly string[] | undefined;
}

/** Who may read the registry and the decisions, and write the registry: known by a bearer token. */
export interface Registrar {
  readonly name: string;
  /** `iat` of its token, seconds: when it wanted what it asks for. */
  readonly askedAt: number;
  mayRead(clientId: string): boolean;
  mayWrite(clientId: string): boolean;
}

/** Tells by the `Authorization` header who the registrar is, or throws ProtocolError invalid_token. */
export type JudgeRegistrar = (authorization: string | undefined) => Promise<Registrar>;

/** Somebody who signs bearer tokens with a key of their own. */
export interface SelfSigned {
  readonly issuer: string;
  readonly jwks: readonly JWK[];
}

export interface RegistrarOptions {
  /** The registrar that signs its own tokens, by AUTH_CLIENT_ID and AUTH_CLIENT_JWKS; absent where providers are configured. */
  readonly selfSigned?: SelfSigned | undefined;
  /** Whoever may read everything and write nothing, such as the console: its name and public keys. */
  readonly reader?: SelfSigned | undefined;
  readonly providers: TrustedIssuers<RegistrarRules>;
  /** `aud` must hold one of these. */
  readonly audiences: readonly string[];
  /** Longest `exp - iat` of a self-signed bearer token, seconds; a year-long key in a variable is a password. */
  readonly maxLifetimeSeconds: number;
  readonly now: Clock;
}

/** An issuer of such tokens. */
interface Known {
  readonly keys: KeySet;
  readonly rules: RegistrarRules;
  /** It signs for itself, so that its tokens have to be short-lived. */
  readonly isSelf?: true;
  /** It only reads. */
  readonly reads?: true;
}

const algorithms = Object.keys(signatureAlgorithms) as SignatureAlgorithm[];

/**
 * Makes the judge of registrars by their `Authorization` header.
 * *Checks* signature, iss, aud, time, the subjects that the provider may send, and the lifetime of self-signed tokens.
 * *Does not check* which client is to be touched: ask `mayRead` or `mayWrite`. *Throws* ProtocolError invalid_token.
 */
export function registrarJudge(options: RegistrarOptions): JudgeRegistrar {
  const selfKeys = localKeySet(options.selfSigned?.jwks ?? []);
  const readerKeys = localKeySet(options.reader?.jwks ?? []);

  // The reader first: of two with one name, the one that may do less.
  async function keysOf(issuer: string): Promise<Known | undefined> {
    if (options.reader?.issuer === issuer) return { keys: readerKeys, rules: {}, isSelf: true, reads: true };
    if (options.selfSigned?.issuer === issuer) return { keys: selfKeys, rules: {}, isSelf: true };
    return options.providers.find(issuer);
  }

  return async (authorization) => {
    const raw = /^bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? "")?.[1];
    if (raw === undefined) throw invalidToken("a bearer token is needed");
    const issuer = peekJwt(raw)?.claims.iss;
    const known = issuer === undefined ? undefined : await keysOf(issuer);
    if (issuer === undefined || known === undefined)
      throw invalidToken("its issuer may not register clients");
    const rules = {
      issuer,
      audience: options.audiences,
      keys: known.keys,
      algorithms,
      required: ["iss", "sub", "aud", "exp", "iat"],
    };
    const result = await verifyJwt(raw, rules, options.now);
    if (!result.ok) throw invalidToken(result.refusal.message);
    const { sub, exp = 0, iat = 0 } = result.token.claims;
    const { allowedSubjects, allowedClusterName } = known.rules;
    if (allowedSubjects !== undefined && !allowedSubjects.includes(sub ?? ""))
      throw invalidToken("its subject may not register clients");
    if (known.isSelf === true && exp - iat > options.maxLifetimeSeconds)
      throw invalidToken(`it lives longer than ${options.maxLifetimeSeconds} s`);
    const mayRead = (clientId: string): boolean =>
      allowedClusterName === undefined || clientId.startsWith(`${allowedClusterName}:`);
    const mayWrite = (clientId: string): boolean => known.reads !== true && mayRead(clientId);
    return { name: `${issuer} ${sub}`, askedAt: iat, mayRead, mayWrite };
  };
}

function invalidToken(why: string): ProtocolError {
  return new ProtocolError("invalid_token", `the registrar's token is refused: ${why}`);
}
