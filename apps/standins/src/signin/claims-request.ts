import { ProtocolError } from "@portvakt/oauth";

/** What a client wishes of one claim (OpenID Connect Core section 5.5.1). */
export interface ClaimWish {
  readonly essential: boolean;
  /** The values that would do; absent = any. */
  readonly values: readonly unknown[] | undefined;
}

/** The `claims` parameter (OpenID Connect Core section 5.5), by the place where a claim is to appear. */
export interface ClaimsRequest {
  readonly userinfo: ReadonlyMap<string, ClaimWish>;
  readonly idToken: ReadonlyMap<string, ClaimWish>;
}

const nothing: ClaimsRequest = { userinfo: new Map(), idToken: new Map() };
const maxClaims = 100;

/**
 * Parses the `claims` parameter; members that are not understood are ignored, as section 5.5 asks.
 * *Checks* that it is a JSON object of objects. *Does not check* whether the claims exist. *Throws* ProtocolError
 * invalid_request.
 */
export function parseClaimsRequest(text: string | undefined): ClaimsRequest {
  if (text === undefined) return nothing;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed();
  }
  if (!isObject(value)) throw malformed();
  return { userinfo: wishesIn(value["userinfo"]), idToken: wishesIn(value["id_token"]) };
}

function wishesIn(part: unknown): ReadonlyMap<string, ClaimWish> {
  if (part === undefined || part === null) return new Map();
  if (!isObject(part) || Object.keys(part).length > maxClaims) throw malformed();
  return new Map(
    Object.entries(part).map(([name, wish]) => {
      if (wish !== null && !isObject(wish)) throw malformed();
      const { essential, value, values } = wish ?? {};
      const listed = Array.isArray(values) ? values : value === undefined ? undefined : [value];
      return [name, { essential: essential === true, values: listed }];
    }),
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(): ProtocolError {
  return new ProtocolError("invalid_request", "parameter claims is not a claims request");
}
