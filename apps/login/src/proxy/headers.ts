import type { IncomingMessage } from "node:http";
import { withoutOwnCookies } from "../request/cookie-header.ts";
import { isSafe } from "../request/csrf.ts";

/** What becomes of a header of the request on its way to the application. */
type Fate = "keep" | "drop" | "authorization" | "cookie" | "forwarded" | "forwarded-for" | "method";

/** Hop-by-hop headers (RFC 9110 section 7.6.1), and `Expect`, which this hop has answered itself. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings",
  "expect",
]);

/** Headers that frame or route a message: naming one of them in `Connection` is an attempt to make two parsers disagree. */
const neverHopByHop: ReadonlySet<string> = new Set(["host", "content-length", "transfer-encoding"]);

/** Names that say who the user is. Nobody but us may send them, in no spelling: many servers read `_` and `-` as one. */
const identity = /^x-(wonderwall|portvakt)-/;

/**
 * Names that some frameworks take a path from instead of the one that was asked for. Our rules judged that one, and who is in front
 * passes on what a client wrote there.
 */
const otherPath = /^x-(?:original|rewrite|override)-?url$/;

/** Names that some frameworks take a method from, instead of the one that the cross-site rule judged. */
const otherMethod = /^x-(?:http-)?method(?:-override)?$/;

/** What proxies in front tell of the way that a request took. */
const way = /^(?:forwarded|x-real-ip|x-(?:forwarded|original)-.+)$/;

function decideFate(name: string): Fate {
  const lower = name.toLowerCase();
  const dashed = lower.replaceAll("_", "-");
  if (hopByHop.has(dashed) || identity.test(dashed) || dashed === "x-request-id") return "drop";
  if (otherPath.test(dashed)) return "drop";
  const misspelt = dashed !== lower;
  if (misspelt && neverHopByHop.has(dashed)) return "drop";
  if (dashed === "authorization") return misspelt ? "drop" : "authorization";
  if (dashed === "cookie") return misspelt ? "drop" : "cookie";
  if (dashed === "x-forwarded-for") return misspelt ? "drop" : "forwarded-for";
  if (way.test(dashed)) return misspelt ? "drop" : "forwarded";
  return otherMethod.test(dashed) ? "method" : "keep";
}

const maxFates = 2000;
/** Longer names are nobody's but whoever wants to fill our memory. */
const maxNameLength = 64;

/** Header names repeat from message to message; what they mean is decided once each. */
function remembering<T>(decide: (name: string) => T): (name: string) => T {
  const fates = new Map<string, T>();
  return (name) => {
    const known = fates.get(name);
    if (known !== undefined) return known;
    const fate = decide(name);
    if (fates.size < maxFates && name.length <= maxNameLength) fates.set(name, fate);
    return fate;
  };
}

const fateOf = remembering(decideFate);

/** Which headers `Connection` names; undefined when it names one that must not be dropped. */
function namedByConnection(connection: string | undefined): ReadonlySet<string> | undefined {
  if (!connection || connection === "keep-alive" || connection === "close") return none;
  const names = new Set<string>();
  for (const part of connection.split(",")) {
    const name = part.trim().toLowerCase();
    if (neverHopByHop.has(name)) return undefined;
    if (name !== "" && name !== "keep-alive" && name !== "close") names.add(name);
  }
  return names;
}

const none: ReadonlySet<string> = new Set();

export interface UpstreamHeaderOptions {
  /** The bearer token of the session; undefined when there is no session. */
  readonly accessToken: string | undefined;
  /** The ID token, where the application asked to see it. */
  readonly idToken: string | undefined;
  /** Whether the client's own `Authorization` may pass when there is no session. */
  readonly passAuthorization: boolean;
  /** Whether the peer's forwarding headers are believed. */
  readonly trustedPeer: boolean;
  /** "https" or "http": how the browser reached us. */
  readonly scheme: string;
  /** Sent on as X-Request-Id: the client's own where that is sane, so that both sides log the same. */
  readonly correlationId: string;
  readonly isOwnCookie: (name: string) => boolean;
}

/**
 * The headers that the application receives, as a flat list of names and values.
 * Checks: nothing that the client says about itself as a user, about this hop, or (from an unknown peer) about its way passes; own
 * cookies are removed; framing is the parser's. Returns undefined when `Connection` names a framing header: answer 400.
 * Throws: TypeError for a token that would end its header.
 */
export function upstreamHeaders(
  request: IncomingMessage,
  options: UpstreamHeaderOptions,
): string[] | undefined {
  const named = namedByConnection(request.headers.connection);
  if (named === undefined) return undefined;
  const headers: string[] = [];
  const raw = request.rawHeaders;
  let forwardedFor = "";
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    const fate = fateOf(name);
    if (fate === "drop" || (named.size > 0 && named.has(name.toLowerCase()))) continue;
    if (fate === "keep") headers.push(name, value);
    else if (fate === "cookie") {
      const rest = withoutOwnCookies(value, options.isOwnCookie);
      if (rest !== "") headers.push(name, rest);
    } else if (fate === "authorization") {
      if (options.accessToken === undefined && options.passAuthorization) headers.push(name, value);
    } else if (fate === "method") {
      // Where ours was judged as changing nothing, no other may be meant.
      if (!isSafe(request.method ?? "GET")) headers.push(name, value);
    } else if (options.trustedPeer) {
      if (fate === "forwarded-for") forwardedFor = forwardedFor === "" ? value : `${forwardedFor}, ${value}`;
      else headers.push(name, value);
    }
  }
  if (options.accessToken !== undefined)
    headers.push("authorization", `Bearer ${headerValue(options.accessToken)}`);
  if (options.idToken !== undefined) headers.push("x-wonderwall-id-token", headerValue(options.idToken));
  addForwarded(headers, request, forwardedFor, options);
  headers.push("x-request-id", options.correlationId);
  return headers;
}

/** Framing, routing and what describes the content: RFC 9110 section 6.5.1 lets none of it stand behind a body. */
const neverTrailer = /^(?:host|content-.*|max-forwards|cache-control|range|if-.*|set-cookie)$/;

/** The trailers of a request that the application receives, as a flat list: of what `upstreamHeaders` lets pass, what may stand behind a body. */
export function upstreamTrailers(raw: readonly string[]): string[] {
  const trailers: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const mayPass = fateOf(name) === "keep" && !neverTrailer.test(name.toLowerCase().replaceAll("_", "-"));
    if (mayPass) trailers.push(name, raw[index + 1] ?? "");
  }
  return trailers;
}

/** The parser has judged what the client sent; a provider's token is the one thing that comes from elsewhere. */
function headerValue(token: string): string {
  if (/[^ -~]/.test(token)) throw new TypeError("a token has characters that no header may have");
  return token;
}

function addForwarded(
  headers: string[],
  request: IncomingMessage,
  before: string,
  options: UpstreamHeaderOptions,
): void {
  const peer = request.socket.remoteAddress ?? "unknown";
  headers.push("x-forwarded-for", before === "" ? peer : `${before}, ${peer}`);
  const { host } = request.headers;
  if (!options.trustedPeer || request.headers["x-forwarded-proto"] === undefined)
    headers.push("x-forwarded-proto", options.scheme);
  if (host !== undefined && (!options.trustedPeer || request.headers["x-forwarded-host"] === undefined))
    headers.push("x-forwarded-host", host);
}

const responseHopByHop: ReadonlySet<string> = new Set([
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** What becomes of a header of the answer on its way to the browser. */
type ResponseFate = "keep" | "drop" | "connection" | "set-cookie";

function decideResponseFate(name: string): ResponseFate {
  const lower = name.toLowerCase();
  if (lower === "connection" || lower === "set-cookie") return lower;
  return responseHopByHop.has(lower) ? "drop" : "keep";
}

const responseFateOf = remembering(decideResponseFate);

/** The application's response headers as they go to the browser: this hop's own are removed, and cookies named like ours. */
export function downstreamHeaders(raw: readonly string[], isOwnCookie: (name: string) => boolean): string[] {
  const headers: string[] = [];
  const connection: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? "";
    const value = raw[index + 1] ?? "";
    const fate = responseFateOf(name);
    if (fate === "connection") connection.push(value);
    else if (fate === "set-cookie") {
      if (!isOwnCookie(value.slice(0, Math.max(0, value.indexOf("="))).trim())) headers.push(name, value);
    } else if (fate === "keep") headers.push(name, value);
  }
  const named = namedByConnection(connection.join(","));
  return named === undefined || named.size === 0 ? headers : withoutNamed(headers, named);
}

function withoutNamed(headers: readonly string[], named: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] ?? "";
    if (!named.has(name.toLowerCase())) kept.push(name, headers[index + 1] ?? "");
  }
  return kept;
}
