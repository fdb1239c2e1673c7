import { verifyWith, type KnownIssuer } from "@portvakt/explain";
import { equalConstantTime, peekJwt, type Clock } from "@portvakt/oauth";
import type { Secret } from "@portvakt/runtime/observe";

export interface GuardOptions {
  /** The host that the console listens on. */
  readonly host: string;
  readonly secret: Secret | undefined;
  /** Who may come through the login proxy. */
  readonly login: LoginRules | undefined;
  readonly now: Clock;
}

export interface LoginRules {
  readonly issuer: () => Promise<KnownIssuer | undefined>;
  readonly audience: string;
  /** Any of these will do; `*` is everybody with a token for the console. */
  readonly groups: readonly string[];
}

/** Why a request is turned away; undefined for one that may go on. */
export interface Refusal {
  readonly status: 401 | 403;
  readonly why: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Guard = (request: Request) => Promise<Refusal | undefined>;

/** Whether an address can only be reached from this machine (or this pod). */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|\[?::1\]?|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|[a-z0-9-]{1,63}\.localhost)$/.test(host);
}

/**
 * Judges who may look. Without secret and login proxy only this machine may, and only under a loopback name: a page that has
 * made its own name point here (DNS rebinding) is turned away. With either, every request has to show it. Forms are taken
 * from the console's own pages only.
 */
export function createGuard({ host, secret, login, now }: GuardOptions): Guard {
  const isOpen = secret === undefined && login === undefined;
  return async (request) => {
    if (request.method === "POST" && !isOwnForm(request.headers))
      return { status: 403, why: "This form was sent by a page that is not the console's." };
    if (isOpen) {
      const asked = (request.headers.get("host") ?? "").replace(/:\d+$/, "").toLowerCase();
      if (isLoopback(host) && isLoopback(asked)) return undefined;
      return { status: 403, why: "The console answers to loopback names only." };
    }
    const authorization = request.headers.get("authorization") ?? "";
    if (secret !== undefined && equalConstantTime(passwordIn(authorization), secret.reveal()))
      return undefined;
    if (login !== undefined) {
      const refusal = await judgeBearer(authorization, login, now);
      if (refusal === undefined || secret === undefined) return refusal;
    }
    return {
      status: 401,
      why: "The console needs its access secret, as the password; the user name does not matter.",
      headers: { "www-authenticate": 'Basic realm="Portvakt console", charset="UTF-8"' },
    };
  };
}

/** By Fetch Metadata, and by Origin where a browser sends none of it (plain HTTP on a network). */
function isOwnForm(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" || site === "none";
  const origin = headers.get("origin");
  return origin === null || URL.parse(origin)?.host === headers.get("host");
}

/** The password of HTTP Basic (RFC 7617), or nothing. */
function passwordIn(authorization: string): string {
  const [, credentials = ""] = /^Basic +([A-Za-z0-9+/=]{1,1000})$/i.exec(authorization) ?? [];
  const text = Buffer.from(credentials, "base64").toString("utf8");
  return text.slice(text.indexOf(":") + 1);
}

async function judgeBearer(
  authorization: string,
  { issuer, audience, groups }: LoginRules,
  now: Clock,
): Promise<Refusal | undefined> {
  const refused: Refusal = {
    status: 401,
    why: "The console is reached through its login proxy, which sends a token made for it.",
    headers: { "www-authenticate": "Bearer" },
  };
  const [, token] = /^Bearer +([\w.~+/=-]{1,16384})$/i.exec(authorization) ?? [];
  const from = token === undefined ? undefined : await issuer();
  if (token === undefined || from === undefined) return refused;
  const verdict = await verifyWith(token, from, now, audience);
  if (!verdict.verified) return refused;
  const claimed: unknown = peekJwt(token)?.claims["groups"];
  const own: readonly unknown[] = Array.isArray(claimed) ? claimed : [];
  if (groups.includes("*") || groups.some((group) => own.includes(group))) return undefined;
  return { status: 403, why: "You are in none of the groups that may look at the console." };
}
