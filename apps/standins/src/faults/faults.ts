import { z } from "zod";
import type { JwtClaims } from "@portvakt/oauth";

/** The endpoints that a fault can be ordered for; every route of a stand-in is one of these. */
const endpoints = [
  "metadata",
  "jwks",
  "par",
  "authorize",
  "signin",
  "token",
  "userinfo",
  "introspect",
  "revoke",
  "logout",
  "other",
] as const;
export type Endpoint = (typeof endpoints)[number];

/** What can go wrong on command. `at` says where the fault strikes: before the handler, or when a token is signed. */
export const effects = {
  /** Answers `error` (default `temporarily_unavailable`) with `status` (default 400), without asking the handler. */
  error: { at: "request" },
  /** Answers after `delay_ms`. */
  slow: { at: "request" },
  /** Never answers; the connection stays open until the client or the stand-in ends it. */
  hang: { at: "request" },
  /** Breaks the connection. */
  drop: { at: "request" },
  /** 429 with Retry-After `retry_after_seconds` (default 1). */
  rate_limit: { at: "request" },
  /** 503 with a page that is not JSON, as from a gateway. */
  down: { at: "request" },
  unpublished_key: { at: "signature" },
  bad_signature: { at: "signature" },
  wrong_audience: { at: "signature" },
  wrong_issuer: { at: "signature" },
  wrong_nonce: { at: "signature" },
  wrong_acr: { at: "signature" },
  expired: { at: "signature" },
  not_yet_valid: { at: "signature" },
  /** Moves iat, nbf and exp by `offset_seconds`. */
  clock_offset: { at: "signature" },
} as const satisfies Record<string, { at: "request" | "signature" }>;
export type Effect = keyof typeof effects;

export const providers = ["idporten", "entra", "maskinporten", "openid"] as const;
export type ProviderName = (typeof providers)[number];

/** An ordered fault: what, where, for whom, how often. Members left out match everything. */
export const faultSchema = z.strictObject({
  effect: z.enum(Object.keys(effects) as [Effect, ...Effect[]]),
  provider: z.enum(providers).optional(),
  endpoint: z.enum(endpoints).optional(),
  /** Only requests that carry this value in the header `x-standin-test`. */
  test: z.string().max(100).optional(),
  /** Only requests of, and tokens for, this client: isolates tests whose requests go through a program under test. */
  client_id: z.string().max(255).optional(),
  grant_type: z.string().max(255).optional(),
  token: z.enum(["access_token", "id_token", "logout_token"]).optional(),
  times: z.int().min(1).max(1_000_000).default(1),
  error: z.string().max(100).optional(),
  error_description: z.string().max(500).optional(),
  status: z.int().min(400).max(599).optional(),
  delay_ms: z.int().min(0).max(60_000).default(1000),
  retry_after_seconds: z.int().min(0).max(3600).default(1),
  offset_seconds: z.int().min(-10_000_000).max(10_000_000).default(-3600),
});
export type Fault = z.output<typeof faultSchema>;
export type FaultOrder = z.input<typeof faultSchema>;

/** When a token is signed: which one, for whom. */
export interface Occasion {
  readonly provider: ProviderName;
  readonly token: "access_token" | "id_token" | "logout_token";
  readonly clientId: string;
  readonly test: string | undefined;
}

/** A request, as far as faults look at it. */
export interface Arrival {
  readonly provider: ProviderName;
  readonly endpoint: Endpoint;
  readonly clientId: string | undefined;
  readonly grantType: string | undefined;
  readonly test: string | undefined;
}

export interface Faults {
  /** Orders a fault; the answer is its number. */
  order(fault: FaultOrder): number;
  list(): { id: number; left: number; fault: Fault }[];
  /** Forgets the faults of one test, or all. */
  clear(test?: string): void;
  /** The fault that this request meets, used up by one. */
  meet(arrival: Arrival): Fault | undefined;
  /** Claims as the faults for this occasion leave them, and the key to sign with. */
  spoil(
    claims: JwtClaims,
    occasion: Occasion,
  ): { spoiled: JwtClaims; key: "own" | "unpublished" | "misnamed" };
}

const maxFaults = 1000;

/** Makes an empty list of faults. */
export function createFaults(): Faults {
  const ordered = new Map<number, { left: number; fault: Fault }>();
  let last = 0;
  const take = (matches: (fault: Fault) => boolean): Fault | undefined => {
    for (const [id, entry] of ordered) {
      if (!matches(entry.fault)) continue;
      entry.left -= 1;
      if (entry.left === 0) ordered.delete(id);
      return entry.fault;
    }
    return undefined;
  };
  return {
    order(input) {
      if (ordered.size >= maxFaults) throw new RangeError(`more than ${maxFaults} faults are ordered`);
      const fault = faultSchema.parse(input);
      last += 1;
      ordered.set(last, { left: fault.times, fault });
      return last;
    },
    list: () => [...ordered].map(([id, entry]) => ({ id, ...entry })),
    clear(test) {
      for (const [id, { fault }] of ordered)
        if (test === undefined || fault.test === test) ordered.delete(id);
    },
    meet: (arrival) => take((fault) => effects[fault.effect].at === "request" && meets(fault, arrival)),
    spoil(claims, occasion) {
      const fault = take((one) => effects[one.effect].at === "signature" && strikes(one, occasion));
      return fault === undefined ? { spoiled: claims, key: "own" } : spoiledBy(fault, claims);
    },
  };
}

function meets(fault: Fault, arrival: Arrival): boolean {
  // Without an endpoint a fault means the token endpoint: that is what "the next call fails" is about.
  return (
    (fault.endpoint ?? "token") === arrival.endpoint &&
    fits(fault.provider, arrival.provider) &&
    fits(fault.client_id, arrival.clientId) &&
    fits(fault.grant_type, arrival.grantType) &&
    fits(fault.test, arrival.test)
  );
}

function strikes(fault: Fault, occasion: Occasion): boolean {
  return (
    fits(fault.provider, occasion.provider) &&
    fits(fault.client_id, occasion.clientId) &&
    fits(fault.test, occasion.test) &&
    (fault.effect === "wrong_nonce" ? occasion.token === "id_token" : fits(fault.token, occasion.token))
  );
}

function fits(wanted: string | undefined, actual: string | undefined): boolean {
  return wanted === undefined || wanted === actual;
}

function spoiledBy(fault: Fault, claims: JwtClaims): ReturnType<Faults["spoil"]> {
  const changed = (members: JwtClaims): ReturnType<Faults["spoil"]> => ({
    spoiled: { ...claims, ...members },
    key: "own",
  });
  switch (fault.effect) {
    case "unpublished_key":
      return { spoiled: claims, key: "unpublished" };
    case "bad_signature":
      return { spoiled: claims, key: "misnamed" };
    case "wrong_audience":
      return changed({ aud: "someone-else" });
    case "wrong_issuer":
      return changed({ iss: `${claims.iss ?? ""}/not-me` });
    case "wrong_nonce":
      return changed({ nonce: "not-the-nonce-that-was-sent" });
    case "wrong_acr":
      return changed({ acr: "idporten-loa-low" });
    case "expired":
      return changed(moved(claims, -86_400));
    case "not_yet_valid":
      return changed(moved(claims, 86_400));
    default:
      return changed(moved(claims, fault.offset_seconds));
  }
}

function moved(claims: JwtClaims, seconds: number): JwtClaims {
  const times = (["iat", "nbf", "exp", "auth_time"] as const).flatMap((name) => {
    const value = claims[name];
    return typeof value === "number" ? [[name, value + seconds] as const] : [];
  });
  return Object.fromEntries(times);
}
