import { problem } from "@portvakt/runtime/http";
import { errorPage } from "../pages/page.ts";
import type { Trouble } from "../pages/texts.ts";
import { isNavigation } from "../request/navigation.ts";
import { homeOf } from "../request/redirect.ts";
import type { Visit } from "../visit.ts";

/** What each trouble is to programs; people get a page in their language. */
const titles: Readonly<Record<Trouble, string>> = {
  failed: "Signing in failed",
  cancelled: "Signing in was cancelled",
  expired: "Unknown sign-in attempt",
  unavailable: "Temporarily unavailable",
  too_many: "Too many requests",
  bad_request: "Bad request",
  upstream: "Bad gateway",
};

/** Answers an interactive endpoint that did not work: a page for people, a problem for programs. Never says why; the log does. */
export function failure(visit: Visit, status: number, trouble: Trouble, retry?: string): Response {
  const response = isNavigation(visit.method, visit.headers)
    ? errorPage({
        status,
        trouble,
        acceptLanguage: visit.headers["accept-language"],
        correlationId: visit.correlationId,
        retry,
        home: homeOf(visit.ingress),
      })
    : problem(status, { title: titles[trouble], correlation_id: visit.correlationId });
  if (status === 503) response.headers.set("retry-after", "5");
  if (status === 429) response.headers.set("retry-after", "5");
  return response;
}

/** Where a user who must sign in goes, and comes back from. */
export function loginPath(visit: Pick<Visit, "ingress">, target: string): string {
  return `${visit.ingress.prefix}/oauth2/login?redirect=${encodeURIComponent(target)}`;
}
