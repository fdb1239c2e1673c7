import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { readCookies } from "./request/cookie-header.ts";
import type { Ingress } from "./request/ingress.ts";
import type { RequestPath } from "./request/path.ts";

/** One request to an endpoint of ours, read once. */
export interface Visit {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly ingress: Ingress;
  /** The path below `<ingress>/oauth2`. */
  readonly path: string;
  /** The query, without its question mark. */
  readonly query: string;
  readonly params: URLSearchParams;
  readonly cookies: ReadonlyMap<string, string>;
  readonly correlationId: string;
  /** The request's body as text. Throws: RangeError when it is larger. */
  readonly body: (maxBytes: number) => Promise<string>;
}

/** What answers one endpoint. */
export type Endpoint = (visit: Visit) => Promise<Response> | Response;

/** Reads a request that is for one of our endpoints. */
export function readVisit(
  request: IncomingMessage,
  target: RequestPath,
  ingress: Ingress,
  correlationId: string,
): Visit {
  const query = target.search.slice(1);
  return {
    method: request.method ?? "GET",
    headers: request.headers,
    ingress,
    path: target.path.slice(ingress.prefix.length + "/oauth2".length),
    query,
    params: new URLSearchParams(query),
    cookies: readCookies(request.headers.cookie),
    correlationId,
    body: (maxBytes) => readText(request, maxBytes),
  };
}

/** A redirect with cookies (303 would turn HEAD into GET; 302 is what the baseline sends). */
export function redirect(
  location: string,
  cookies: readonly string[] = [],
  status: 302 | 307 = 302,
): Response {
  return withCookies(new Response(null, { status, headers: { location } }), cookies);
}

/** Adds Set-Cookie lines to a response. */
export function withCookies(response: Response, cookies: readonly string[]): Response {
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

/** How long a body of ours may take to arrive. Bodies for the application may take any time; these are a few hundred bytes. */
const bodyMilliseconds = 10_000;

async function readText(request: IncomingMessage, maxBytes: number): Promise<string> {
  const late = setTimeout(() => request.destroy(), bodyMilliseconds);
  try {
    return await readChunks(request, maxBytes);
  } finally {
    clearTimeout(late);
  }
}

async function readChunks(request: IncomingMessage, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new RangeError("the body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
