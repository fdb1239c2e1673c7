import type { Clock, JwtClaims } from "@portvakt/oauth";
import type { Faults, ProviderName } from "./faults/faults.ts";
import type { Recorder } from "./faults/recorder.ts";
import type { Personas } from "./personas/personas.ts";
import type { Report } from "./report.ts";
import type { Registry } from "./registry.ts";
import type { Signing } from "./keys/signing.ts";

/** What every stand-in is made of. */
export interface Parts {
  /** Where browsers and clients reach it: origin without a slash at the end. */
  readonly base: string;
  /** Host names by which containers reach it; see addresses.ts. */
  readonly backHosts: ReadonlySet<string>;
  readonly now: Clock;
  readonly registry: Registry;
  readonly personas: Personas;
  readonly faults: Faults;
  readonly recorder: Recorder;
  readonly signing: Signing;
  readonly closing: AbortSignal;
  readonly report: Report;
  /** Sends back-channel logout tokens. */
  readonly fetch: typeof fetch;
}

/** The path below which a stand-in is reached; empty at the root of its origin. */
export function pathOf(parts: Pick<Parts, "base">): string {
  return new URL(parts.base).pathname.replace(/\/$/, "");
}

/** A token for a test, without any flow. What is left out is the provider's usual value. */
export interface TokenOrder {
  readonly provider: ProviderName;
  /** Whom the token is about; absent = an application of its own. */
  readonly persona?: string | undefined;
  readonly client_id?: string | undefined;
  readonly audience?: string | readonly string[] | undefined;
  readonly scope?: string | undefined;
  readonly tenant?: string | undefined;
  /** The test whose own issuer signs; absent = everybody's. */
  readonly test?: string | undefined;
  readonly token?: "access_token" | "id_token" | undefined;
  /** Claims that replace or join the usual ones; null takes one away. */
  readonly claims?: Readonly<Record<string, unknown>> | undefined;
  /** Seconds; may be negative for a token that has expired. */
  readonly expiresIn?: number | undefined;
}

/** A running stand-in. */
export interface Standin {
  readonly name: ProviderName;
  readonly issuer: string;
  readonly fetch: (request: Request) => Promise<Response>;
  readonly signing: Signing;
  /** The claims of an ordered token, before signing. */
  order(order: TokenOrder): JwtClaims;
}

/** The claims as ordered: times by `expiresIn`, audience, then single claims; null takes a claim away. */
export function orderedClaims(usual: JwtClaims, order: TokenOrder): JwtClaims {
  const claims: JwtClaims = { ...usual };
  if (order.expiresIn !== undefined) claims.exp = (usual.iat ?? 0) + order.expiresIn;
  if (order.audience !== undefined)
    claims.aud = typeof order.audience === "string" ? order.audience : [...order.audience];
  for (const [name, value] of Object.entries(order.claims ?? {})) {
    if (value === null) delete claims[name];
    else claims[name] = value;
  }
  return claims;
}

/** Claims that only the provider may set, however the person was edited. */
const protocolClaims: ReadonlySet<string> = new Set([
  "iss",
  "aud",
  "exp",
  "iat",
  "nbf",
  "jti",
  "nonce",
  "azp",
  "client_id",
  "sid",
]);

/** A person's claims, without those that are not a person's to bring. */
export function personalClaims(claims: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !protocolClaims.has(name)));
}

/** A claim that should be text; anything else counts as nothing. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
