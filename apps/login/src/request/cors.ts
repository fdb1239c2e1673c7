import { belongsTo } from "./ingress.ts";
import type { Visit } from "../visit.ts";

/** Something that knows origins, as browsers write them. */
export interface Origins {
  has(origin: string): boolean;
}

/** Whose pages may read an answer, and with which methods they may ask. */
export interface CorsRule {
  readonly origins: Origins;
  readonly methods: readonly string[];
}

/** The origins of a domain's hosts: https at its own port; where `secure` is false also http, at any. */
export function originsOf(domain: string, secure: boolean): Origins {
  return {
    has(origin) {
      const url = URL.parse(origin);
      if (url === null || url.origin !== origin || !belongsTo(url.hostname, domain)) return false;
      return url.protocol === "https:" ? url.port === "" : !secure && url.protocol === "http:";
    },
  };
}

/**
 * Lets pages of other origins read an answer of ours, with the user's cookies (Fetch standard, "CORS protocol"); answers the browser's
 * question in advance. The origin is named, never "*": with cookies nothing else is valid.
 */
export async function answerCors(
  visit: Visit,
  rule: CorsRule,
  answer: () => Promise<Response> | Response,
): Promise<Response> {
  const { origin } = visit.headers;
  const asks = visit.method === "OPTIONS" && visit.headers["access-control-request-method"] !== undefined;
  const response = asks ? new Response(null, { status: 204 }) : await answer();
  response.headers.append("vary", "origin");
  if (origin === undefined || !rule.origins.has(origin)) return response;
  response.headers.set("access-control-allow-origin", origin);
  response.headers.set("access-control-allow-credentials", "true");
  if (!asks) return response;
  response.headers.set("access-control-allow-methods", rule.methods.join(", "));
  const wanted = visit.headers["access-control-request-headers"];
  if (wanted !== undefined && /^[\w!#$%&'*+.^`|~, -]{1,1000}$/u.test(wanted))
    response.headers.set("access-control-allow-headers", wanted);
  return response;
}
