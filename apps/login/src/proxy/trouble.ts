import { problem } from "@portvakt/runtime/http";
import { errorPage } from "../pages/page.ts";
import { isNavigation } from "../request/navigation.ts";
import type { Passage } from "./passage.ts";

/** Says that a request cannot be served right now: a page for people, a problem for programs. Never says why; the log does. */
export function troubleAnswer(
  { request, ingress, correlationId }: Passage,
  status: 502 | 503,
  details: { readonly title: string; readonly detail: string },
): Response {
  const answer =
    ingress !== undefined && isNavigation(request.method ?? "GET", request.headers)
      ? errorPage({
          status,
          trouble: "upstream",
          acceptLanguage: request.headers["accept-language"],
          correlationId,
          retry: undefined,
          home: `${ingress.prefix}/`,
        })
      : problem(status, { ...details, correlation_id: correlationId });
  answer.headers.set("cache-control", "no-store");
  if (status === 503) answer.headers.set("retry-after", "2");
  return answer;
}
