import { peekJwt } from "@portvakt/oauth";
import { organisationOf } from "./caller.ts";

/** What carries an `Authorization` header: a fetch `Request` or `Headers`, a Node.js request, or the header itself. */
export type TokenSource =
  | string
  | { get(name: string): string | null }
  | { readonly headers: { get(name: string): string | null } }
  | { readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> }
  | null
  | undefined;

/** RFC 6750 section 2.1: the scheme in any letter case, one space or more, one b64token. */
const bearer = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const b64token = /^[A-Za-z0-9\-._~+/]+=*$/;

/**
 * The bearer token of a request, or `null`. A plain string may be the header's value or the token itself.
 *
 * *Checks*: the form only, and that there is one. *Does not check*: the token. *Throws*: nothing.
 */
export function getToken(source: TokenSource): string | null {
  if (typeof source === "string") {
    const text = source.trim();
    return bearer.exec(text)?.[1] ?? (b64token.test(text) ? text : null);
  }
  const header = authorizationOf(source);
  return header === undefined ? null : (bearer.exec(header.trim())?.[1] ?? null);
}

/** The `Authorization` header of a source; several count as one with commas, which no token can hold. */
function authorizationOf(source: Exclude<TokenSource, string>): string | undefined {
  if (source === null || source === undefined) return undefined;
  const headers = "headers" in source ? source.headers : source;
  if (typeof headers.get === "function") return headers.get("authorization") ?? undefined;
  const value = (headers as Readonly<Record<string, string | readonly string[] | undefined>>)[
    "authorization"
  ];
  return typeof value === "object" ? value.join(", ") : value;
}

/** Seconds until the token expires by its own account; 0 when it has expired, says nothing, or is no JWT. Nothing is verified. */
export function secondsLeft(token: string, now: number): number {
  const exp = peekJwt(token)?.claims.exp;
  return typeof exp === "number" && Number.isFinite(exp) ? Math.max(0, Math.floor(exp - now)) : 0;
}

export type ParseResult<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly error: Error };

/** The citizen of an ID-porten token. Decodes only: validate the token first. */
export function parseIdportenToken(token: string): ParseResult<{ readonly pid: string }> {
  return pick(token, ["pid"]);
}

/** The employee of an Entra ID token. Decodes only: validate the token first. */
export function parseAzureUserToken(token: string): ParseResult<{
  readonly oid: string;
  readonly NAVident: string;
  readonly preferred_username: string;
  readonly name: string;
  readonly groups: readonly string[];
}> {
  const groups = peekJwt(token)?.claims["groups"];
  const result = pick(token, ["oid", "NAVident", "preferred_username", "name"]);
  if (!result.ok) return result;
  if (!Array.isArray(groups) || !groups.every((group) => typeof group === "string")) return missing("groups");
  return { ...result, groups: [...groups] };
}

/** The citizen of a TokenX token, its level, and the application that called. Decodes only: validate the token first. */
export function parseTokenxToken(token: string): ParseResult<{
  readonly pid: string;
  readonly acr: string;
  readonly client_id: string;
  readonly idp: string;
}> {
  return pick(token, ["pid", "acr", "client_id", "idp"]);
}

/** The organisations and scopes of a Maskinporten token. Decodes only: validate the token first. */
export function parseMaskinportenToken(token: string): ParseResult<{
  /** Nine digits. */
  readonly consumer: string;
  /** The organisation that acts for the consumer, where one does. */
  readonly supplier?: string;
  readonly client_id: string;
  readonly scopes: readonly string[];
}> {
  const result = pick(token, ["client_id", "scope"]);
  if (!result.ok) return result;
  const claims = peekJwt(token)?.claims ?? {};
  const consumer = organisationOf(claims["consumer"]);
  if (consumer === undefined) return missing("consumer");
  const supplier = organisationOf(claims["supplier"]);
  const scopes = result.scope.split(" ").filter((scope) => scope !== "");
  return {
    ok: true,
    consumer,
    client_id: result.client_id,
    scopes,
    ...(supplier !== undefined && { supplier }),
  };
}

function pick<Name extends string>(token: string, names: readonly Name[]): ParseResult<Record<Name, string>> {
  const decoded = peekJwt(token);
  if (decoded === undefined) return { ok: false, error: new Error("this is not a JWT") };
  const { claims } = decoded;
  const absent = names.find((name) => typeof claims[name] !== "string");
  if (absent !== undefined) return missing(absent);
  const picked = Object.fromEntries(names.map((name) => [name, claims[name]])) as Record<Name, string>;
  return { ...picked, ok: true as const };
}

function missing(name: string): { readonly ok: false; readonly error: Error } {
  return { ok: false, error: new Error(`the token has no ${name}`) };
}
