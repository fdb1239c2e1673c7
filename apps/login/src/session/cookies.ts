import { open, seal, type KeyRing } from "@portvakt/runtime/seal";
import { randomToken } from "@portvakt/oauth";
import { setCookie, type CookieAttributes } from "../request/cookie-header.ts";
import type { Ingress } from "../request/ingress.ts";
import { homeOf } from "../request/redirect.ts";
import type { Ticket } from "./model.ts";

/** One sign-in that is under way in this browser. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly provider: string;
  readonly redirectUri: string;
  /** Where the user goes afterwards. Checked when it was written, and again when it is read. */
  readonly target: string;
  readonly level: string | undefined;
  readonly prompt: string | undefined;
  readonly maxAgeSeconds: number | undefined;
  readonly startedAt: number;
}

/** One logout that is under way at the provider. */
export interface Departure {
  readonly state: string;
  readonly target: string;
}

/** How often sign-in was tried again on its own. */
export interface Retries {
  readonly count: number;
  readonly since: number;
}

export interface CookieOptions {
  readonly prefix: string;
  readonly ring: KeyRing;
  readonly sameSite: CookieAttributes["sameSite"];
  /** False only where every ingress is on this machine. */
  readonly secure: boolean;
  /** The session's cookie of a single sign-on: one name for all, and (where it is written) the domain that it is for. */
  readonly shared?: { readonly name: string; readonly domain: string | undefined } | undefined;
}

type Cookies = ReadonlyMap<string, string>;

/** What the proxy's own cookies are called, hold and look like. Every value is sealed; the purpose binds it to its name. */
export interface OwnCookies {
  readonly sessionName: (ingress: Ingress) => string;
  readonly isOwn: (name: string) => boolean;
  readonly writeSession: (ingress: Ingress, ticket: Ticket) => string;
  readonly clearSession: (ingress: Ingress) => string;
  readonly readTicket: (sealed: string) => Ticket | undefined;
  /** Set-Cookie lines for a new attempt; of more than five, or than fit into 4 kB, the oldest go. A target too long for a cookie is the home. */
  readonly writeAttempt: (ingress: Ingress, attempt: Attempt, present: Cookies) => string[];
  readonly readAttempt: (ingress: Ingress, state: string, present: Cookies) => Attempt | undefined;
  readonly hasAttempts: (ingress: Ingress, present: Cookies) => boolean;
  readonly clearAttempt: (ingress: Ingress, state: string) => string;
  readonly writeDeparture: (ingress: Ingress, departure: Departure) => string;
  readonly readDeparture: (ingress: Ingress, present: Cookies) => Departure | undefined;
  readonly clearDeparture: (ingress: Ingress) => string;
  readonly writeRetries: (ingress: Ingress, retries: Retries) => string;
  readonly readRetries: (ingress: Ingress, present: Cookies) => Retries | undefined;
  readonly clearRetries: (ingress: Ingress) => string;
}

const maxAttempts = 5;
/**
 * Bytes of all attempts in a request, and of one line that sets a cookie with a target. Browsers drop cookies above 4,096 (RFC 6265bis
 * section 5.6), and many servers and controllers refuse 8 kB of headers, whereupon no page opens any more until cookies are deleted.
 */
const maxAttemptsBytes = 4096;
const maxTargetBytes = 2048;
/** How long a sign-in page may stay open before its attempt is forgotten, seconds. */
export const attemptLifetimeSeconds = 3600;
const retryWindowSeconds = 300;
const ticketVersion = 1;
const idBytes = 24;
const keyBytes = 32;

/** Makes the names and the sealing of all cookies of one proxy. */
export function ownCookies(options: CookieOptions): OwnCookies {
  const { ring } = options;
  const nameOf = (ingress: Ingress, what: string): string => nameIn(options, ingress, what);
  const write = (ingress: Ingress, what: string, value: string, maxAgeSeconds?: number): string =>
    lineOf(options, ingress, what, value, maxAgeSeconds);
  const writeTarget = (
    ingress: Ingress,
    what: string,
    purpose: string,
    value: Attempt | Departure,
  ): string => {
    const line = write(ingress, what, sealJson(ring, purpose, value), attemptLifetimeSeconds);
    if (line.length <= maxTargetBytes) return line;
    const atHome = sealJson(ring, purpose, { ...value, target: homeOf(ingress) });
    return write(ingress, what, atHome, attemptLifetimeSeconds);
  };
  const clear = (ingress: Ingress, what: string): string => write(ingress, what, "", 0);
  const read = (ingress: Ingress, what: string, purpose: string, present: Cookies): unknown =>
    openJson(ring, purpose, present.get(nameOf(ingress, what)));
  const shared = options.shared === undefined ? "" : `|${RegExp.escape(options.shared.name)}$`;
  const ownPattern = new RegExp(
    `^(?:__(?:host|secure)-)?(?:${RegExp.escape(options.prefix)}\\.${shared})`,
    "i",
  );

  return {
    sessionName: (ingress) => nameOf(ingress, "session"),
    isOwn: (name) => ownPattern.test(name),
    writeSession: (ingress, ticket) =>
      write(ingress, "session", seal(ring, "session-ticket", packTicket(ticket))),
    clearSession: (ingress) => clear(ingress, "session"),
    readTicket: (sealed) => unpackTicket(open(ring, "session-ticket", sealed)),
    writeAttempt: (ingress, attempt, present) => {
      const line = writeTarget(ingress, attemptName(attempt.state), "attempt", attempt);
      const excess = excessAttempts(options, nameOf(ingress, "callback."), present, line.length);
      return [...excess.map((what) => clear(ingress, what)), line];
    },
    readAttempt: (ingress, state, present) => {
      const attempt = read(ingress, attemptName(state), "attempt", present) as Attempt | undefined;
      return attempt?.state === state ? attempt : undefined;
    },
    hasAttempts: (ingress, present) =>
      present.keys().some((name) => name.startsWith(nameOf(ingress, "callback."))),
    clearAttempt: (ingress, state) => clear(ingress, attemptName(state)),
    writeDeparture: (ingress, departure) => writeTarget(ingress, "logout", "departure", departure),
    readDeparture: (ingress, present) =>
      read(ingress, "logout", "departure", present) as Departure | undefined,
    clearDeparture: (ingress) => clear(ingress, "logout"),
    writeRetries: (ingress, retries) =>
      write(ingress, "retry", sealJson(ring, "retries", retries), retryWindowSeconds),
    readRetries: (ingress, present) => read(ingress, "retry", "retries", present) as Retries | undefined,
    clearRetries: (ingress) => clear(ingress, "retry"),
  };
}

/** A new ticket: an id that nobody can guess, and a key that exists nowhere else. */
export function newTicket(): Ticket {
  return { id: randomToken(idBytes), key: crypto.getRandomValues(new Uint8Array(keyBytes)) };
}

/**
 * `__Host-` (RFC 6265bis section 4.1.3.2) keeps other hosts of the domain from planting the cookie; it needs TLS, the path "/" and no
 * domain. `__Secure-` keeps out at least whoever has no TLS.
 */
function nameIn(options: CookieOptions, ingress: Ingress, what: string): string {
  const secure = options.secure && ingress.secure;
  if (what === "session" && options.shared !== undefined)
    return `${secure ? "__Secure-" : ""}${options.shared.name}`;
  const prefix = ingress.prefix === "" ? "__Host-" : "__Secure-";
  return `${secure ? prefix : ""}${options.prefix}.${what}`;
}

function lineOf(
  options: CookieOptions,
  ingress: Ingress,
  what: string,
  value: string,
  maxAgeSeconds: number | undefined,
): string {
  const shared = what === "session" ? options.shared : undefined;
  return setCookie(nameIn(options, ingress, what), value, {
    path: ingress.prefix === "" || shared !== undefined ? "/" : ingress.prefix,
    secure: options.secure && ingress.secure,
    sameSite: what === "session" ? options.sameSite : "Lax",
    ...(shared?.domain === undefined ? {} : { domain: shared.domain }),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
  });
}

/** States are random and of our own making; their beginning tells attempts apart. */
function attemptName(state: string): string {
  return `callback.${state.slice(0, 8).replace(/[^\w-]/g, "_")}`;
}

/** The pending attempts that must go so that one more fits: unreadable ones first, then the oldest. */
function excessAttempts(options: CookieOptions, start: string, present: Cookies, bytes: number): string[] {
  const pending = [...present]
    .filter(([name]) => name.startsWith(start))
    .map(([name, value]) => ({
      what: `callback.${name.slice(start.length)}`,
      bytes: name.length + value.length + "=; ".length,
      startedAt: (openJson(options.ring, "attempt", value) as Attempt | undefined)?.startedAt ?? 0,
    }));
  pending.sort((a, b) => b.startedAt - a.startedAt);
  let together = bytes;
  return pending
    .filter((one, index) => (together += one.bytes) > maxAttemptsBytes || index >= maxAttempts - 1)
    .map((one) => one.what)
    .filter((what) => /^callback\.[\w-]{1,16}$/.test(what));
}

function packTicket(ticket: Ticket): Uint8Array {
  const id = Buffer.from(ticket.id, "base64url");
  return Buffer.concat([Buffer.of(ticketVersion), id, ticket.key]);
}

function unpackTicket(bytes: Uint8Array | undefined): Ticket | undefined {
  if (bytes === undefined || bytes.length !== 1 + idBytes + keyBytes || bytes[0] !== ticketVersion)
    return undefined;
  const id = Buffer.from(bytes.subarray(1, 1 + idBytes)).toString("base64url");
  return { id, key: Uint8Array.from(bytes.subarray(1 + idBytes)) };
}

function sealJson(ring: KeyRing, purpose: string, value: unknown): string {
  return seal(ring, purpose, new TextEncoder().encode(JSON.stringify(value)));
}

/** What was sealed for this purpose. It was authenticated, so it has the shape that we gave it. */
function openJson(ring: KeyRing, purpose: string, sealed: string | undefined): unknown {
  const bytes = sealed === undefined ? undefined : open(ring, purpose, sealed);
  return bytes === undefined ? undefined : JSON.parse(new TextDecoder().decode(bytes));
}
