import type { JwtClaims } from "@portvakt/oauth";
import { providerRow } from "./providers.ts";
import type { CallerKind, ProviderName } from "./providers.ts";

/** Who called, and for whom: what a validated token says, under names that are the same for every provider. */
export interface Caller {
  readonly provider: ProviderName;
  readonly kind: CallerKind | undefined;
  /** The id of the calling application. TokenX: `cluster:namespace:name`. Entra ID: the client's GUID. */
  readonly client: string | undefined;
  /** Entra ID's `azp_name`, for display only. */
  readonly clientName: string | undefined;
  /** The user, where there is one: `pid` for citizens, `oid`, `NAVident` and so on for employees. */
  readonly user: UserClaims | undefined;
  /** Maskinporten: the organisation number of the consumer. */
  readonly organisation: string | undefined;
  readonly acr: string | undefined;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly groups: readonly string[];
  readonly claims: Readonly<JwtClaims>;
  /** The token itself, to exchange it for the next call. */
  readonly token: string;
}

/** The claims about a user that this platform's applications ask for. */
export interface UserClaims {
  readonly sub?: string;
  readonly pid?: string;
  readonly oid?: string;
  readonly NAVident?: string;
  readonly name?: string;
  readonly preferred_username?: string;
}

const userClaims = ["sub", "pid", "oid", "NAVident", "name", "preferred_username"] as const;

/** Reads who called out of the claims of a token that was validated. */
export function callerOf(provider: ProviderName, claims: Readonly<JwtClaims>, token: string): Caller {
  const row = providerRow(provider);
  const kind = row.kind(claims);
  return Object.freeze({
    provider,
    kind,
    client: textOf(claims[row.clientClaim]),
    clientName: textOf(claims["azp_name"]),
    user: kind === "user" ? userOf(claims) : undefined,
    // TokenX copies an ID-porten token's `consumer`, which is the login client's own organisation and no caller.
    organisation: provider === "maskinporten" ? organisationOf(claims["consumer"]) : undefined,
    acr: textOf(claims["acr"]),
    scopes: (textOf(claims[row.scopeClaim]) ?? "").split(" ").filter((scope) => scope !== ""),
    roles: textsOf(claims["roles"]),
    groups: textsOf(claims["groups"]),
    claims,
    token,
  });
}

function userOf(claims: Readonly<JwtClaims>): UserClaims {
  const present = userClaims.flatMap((name) => {
    const value = textOf(claims[name]);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(present);
}

/** The organisation number of `{ authority: "iso6523-actorid-upis", ID: "0192:<number>" }`. */
export function organisationOf(party: unknown): string | undefined {
  if (typeof party !== "object" || party === null) return undefined;
  const { authority, ID } = party as { authority?: unknown; ID?: unknown };
  if (authority !== "iso6523-actorid-upis" || typeof ID !== "string") return undefined;
  return /^0192:(\d{9})$/.exec(ID)?.[1];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
}
