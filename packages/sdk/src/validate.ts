import { anyAudience, audiencesOf, peekJwt, remoteKeySet, verifyJwt } from "@portvakt/oauth";
import type { Clock, JwtClaims, RemoteKeySet, VerifyRules } from "@portvakt/oauth";
import { callerOf } from "./caller.ts";
import type { Caller } from "./caller.ts";
import { judgeGuards, listOf } from "./guards.ts";
import type { Guards } from "./guards.ts";
import { providerNamed, providerNames, providerRow } from "./providers.ts";
import type { ProviderAlias, ProviderName } from "./providers.ts";
import { refused } from "./result.ts";
import type { Refused } from "./result.ts";
import type { ProviderSettings, SdkSettings } from "./settings.ts";
import type { Stopwatch } from "./stopwatch.ts";
import { createClaimsMemory } from "./verified/memory.ts";
import { createJudgeBinding } from "./verified/proof.ts";
import type { PossessionProof } from "./verified/proof.ts";

/** A token that was accepted: its claims, and who called. */
export interface Accepted {
  readonly ok: true;
  readonly provider: ProviderName;
  readonly payload: Readonly<JwtClaims>;
  readonly caller: Caller;
}

export type ValidationResult = Accepted | Refused;

/** What a token must satisfy. */
export interface ValidateOptions extends Guards {
  /**
   * The providers whose tokens are accepted; the token's issuer picks one. Left out: ID-porten, Entra ID and TokenX, as
   * far as they are set up. Maskinporten must be named, and needs `scope`.
   */
  readonly providers?: ProviderAlias | readonly ProviderAlias[];
  /**
   * The DPoP proof that came with the token, for `Authorization: DPoP` (RFC 9449). Left out: the token came as a plain
   * bearer token, and is refused when it is bound to a key.
   */
  readonly proof?: PossessionProof;
}

export type ValidateToken = (
  token: string | null | undefined,
  options?: ValidateOptions,
) => Promise<ValidationResult>;

interface Verifier {
  readonly settings: ProviderSettings;
  readonly keys: RemoteKeySet;
}

/** Claims that only ID tokens have: OpenID Connect Core sections 2, 3.1.3.6 and 3.3.2.11. */
const idTokenClaims = ["nonce", "at_hash", "c_hash", "s_hash"] as const;

const byDefault: readonly ProviderName[] = providerNames.filter(
  (name) => providerRow(name).audience === "required",
);

/**
 * Makes the validation of tokens. Each provider's keys are fetched at their first use and kept; see `remoteKeySet` for
 * how often that may be.
 */
export function createValidateToken(o: {
  readonly settings: SdkSettings;
  readonly now: Clock;
  readonly stopwatch: Stopwatch;
  readonly fetch?: typeof fetch | undefined;
  readonly timeoutSeconds?: number | undefined;
  readonly toleranceSeconds?: number | undefined;
  readonly rememberedTokens?: number | undefined;
  readonly rememberedProofs?: number | undefined;
}): ValidateToken {
  const verifiers = new Map<ProviderName, Verifier>();
  const verifyAccessToken = createVerifyAccessToken(o);
  const judgeBinding = createJudgeBinding(o.now, o.rememberedProofs);
  const verifierOf = (name: ProviderName): Verifier | { readonly missing: string } => {
    const settings = o.settings.providers[name];
    if ("missing" in settings) return settings;
    const known = verifiers.get(name);
    if (known !== undefined) return known;
    const { now, fetch: send, timeoutSeconds } = o;
    const keys = remoteKeySet({
      ...{ uri: settings.jwksUri, now },
      ...(send && { fetch: send }),
      ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    });
    const made = { settings, keys };
    verifiers.set(name, made);
    return made;
  };
  const validate: ValidateToken = async (token, options = {}) => {
    if (token === null || token === undefined || token === "")
      return refused("no_token", "there is no token");
    if (typeof token !== "string") return refused("malformed", "the token is not text");
    const chosen = chooseProvider(token, options, o.settings);
    if (typeof chosen !== "string") return chosen;
    const verifier = verifierOf(chosen);
    if ("missing" in verifier) return refused("not_configured", verifier.missing);
    const verified = await verifyAccessToken(chosen, verifier, token);
    if (!verified.ok) return verified;
    const { claims } = verified;
    const unbound = await judgeBinding(token, claims, options.proof);
    if (unbound !== undefined) return unbound;
    const caller = callerOf(chosen, claims, token);
    const unmet = judgeGuards(options, caller, o.now(), o.toleranceSeconds);
    return unmet ?? { ok: true, provider: chosen, payload: claims, caller };
  };
  // Whatever is thrown on the way, by a token that nobody has thought of: it is not accepted.
  return (token, options) =>
    validate(token, options).catch((cause: unknown) =>
      refused("server_error", "the token could not be judged", cause),
    );
}

type Verified = { readonly ok: true; readonly claims: Readonly<JwtClaims> } | Refused;

/** Makes the check of what is right or wrong with an access token in itself; what was found right is remembered a while. */
function createVerifyAccessToken(o: {
  readonly now: Clock;
  readonly stopwatch: Stopwatch;
  readonly toleranceSeconds?: number | undefined;
  readonly rememberedTokens?: number | undefined;
}): (name: ProviderName, verifier: Verifier, token: string) => Promise<Verified> {
  const memory = createClaimsMemory(o.now, o.stopwatch, o.rememberedTokens ?? 1000);
  return async (name, verifier, token) => {
    const { settings, keys } = verifier;
    const known = memory.find(name, token, keys.fetchedAt);
    if (known !== undefined) return { ok: true, claims: known };
    const result = await verifyJwt(token, rulesOf(name, verifier, o.toleranceSeconds), o.now);
    if (!result.ok) return refused(result.refusal.code, result.refusal.message);
    const { claims } = result.token;
    const refusal = judgeAccessToken(name, settings, claims);
    if (refusal !== undefined) return refusal;
    memory.add(name, token, keys.fetchedAt, claims);
    return { ok: true, claims };
  };
}

/** The provider that must have issued the token, or why there is none. Nothing is verified yet. */
function chooseProvider(
  token: string,
  options: ValidateOptions,
  settings: SdkSettings,
): ProviderName | Refused {
  const given = options.providers === undefined ? byDefault : listOf(options.providers);
  const unknown = given.find((name) => providerNamed(name) === undefined);
  if (unknown !== undefined) return refused("not_configured", `"${unknown}" is the name of no provider`);
  const asked = given.flatMap((name) => providerNamed(name) ?? []);
  const enabled = asked.filter((name) => !("missing" in settings.providers[name]));
  const [first] = asked;
  if (first === undefined) return refused("not_configured", "no provider is named");
  if (enabled.length === 0) {
    if (options.providers === undefined) {
      return refused("not_configured", "no identity provider: the platform has set none of its variables");
    }
    const { missing = "" } = settings.providers[first] as { missing?: string };
    return refused("not_configured", missing);
  }
  if (enabled.includes("maskinporten") && listOf(options.scope).length === 0) {
    // Maskinporten's tokens have no audience: without a scope, a token for anybody's API would be accepted here.
    return refused("not_configured", "Maskinporten tokens need a scope to check: set `scope`");
  }
  const [only] = enabled;
  if (enabled.length === 1 && only !== undefined) return only;
  const issuer = peekJwt(token)?.claims.iss;
  if (issuer === undefined) return refused("malformed", "this is not a signed JWT with an issuer");
  const chosen = enabled.find((name) => (settings.providers[name] as ProviderSettings).issuer === issuer);
  return (
    chosen ?? refused("wrong_issuer", `the issuer is none of those trusted here (${enabled.join(", ")})`)
  );
}

function rulesOf(name: ProviderName, verifier: Verifier, toleranceSeconds: number | undefined): VerifyRules {
  const { settings, keys } = verifier;
  return {
    issuer: settings.issuer,
    audience: settings.audience ?? anyAudience,
    keys,
    algorithms: providerRow(name).algorithms,
    typ: ["at+jwt", "jwt", ""],
    required: ["iss", "exp", "iat"],
    ...(toleranceSeconds !== undefined && { toleranceSeconds }),
  };
}

/** Whether a verified token is an access token, and for us. */
function judgeAccessToken(
  name: ProviderName,
  settings: ProviderSettings,
  claims: Readonly<JwtClaims>,
): Refused | undefined {
  const telltale = idTokenClaims.find((claim) => claims[claim] !== undefined);
  const { accessTokenClaim } = providerRow(name);
  if (telltale !== undefined || claims[accessTokenClaim] === undefined) {
    const why = telltale === undefined ? `it has no ${accessTokenClaim}` : `it has ${telltale}`;
    return refused("not_an_access_token", `this is not an access token but, it seems, an ID token: ${why}`);
  }
  // RFC 7519 section 4.1.3: whoever is not among the audiences must refuse. "unspecified" stands for none.
  const restricted = audiencesOf(claims).some((audience) => audience !== "unspecified");
  if (settings.audience === undefined && restricted) {
    const variable = providerRow(name).variables.audience;
    return refused(
      "wrong_audience",
      `the token is for one audience only, and ${variable} does not say who we are`,
    );
  }
  return undefined;
}
