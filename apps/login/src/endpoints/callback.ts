import { equalConstantTime, parseForm, type Clock, type FormParams } from "@portvakt/oauth";
import type { CounterMetric, Logger } from "@portvakt/runtime/observe";
import { StoreUnavailable, type KeyValueStore } from "@portvakt/runtime/store";
import type { Provider } from "../provider/connection.ts";
import { redeemCode } from "../provider/tokens.ts";
import type { Ingress } from "../request/ingress.ts";
import { checkRedirect, homeOf, type CheckedRedirect } from "../request/redirect.ts";
import type { Admissions } from "../session/admission.ts";
import { attemptLifetimeSeconds, type Attempt, type OwnCookies } from "../session/cookies.ts";
import type { Sessions } from "../session/store.ts";
import { redirect, withCookies, type Endpoint, type Visit } from "../visit.ts";
import { failure, loginPath } from "./failure.ts";
import { callbackUri, type Door } from "./login.ts";

export interface CallbackOptions {
  readonly doors: ReadonlyMap<string, Door>;
  readonly ingresses: readonly Ingress[];
  readonly cookies: OwnCookies;
  readonly admissions: Pick<Admissions, "look">;
  readonly sessions: Pick<Sessions, "create" | "end">;
  readonly store: Pick<KeyValueStore, "claim">;
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly log: Logger;
  readonly logins: CounterMetric;
}

/** Why a callback was refused; `again` = signing in once more is likely to work, so it is tried without asking. */
interface Refusal {
  readonly reason: string;
  readonly status: number;
  readonly trouble: "failed" | "cancelled" | "expired" | "unavailable" | "bad_request";
  readonly again: boolean;
}

const maxRetries = 3;

/** `GET /oauth2/callback`: the provider sends the browser back; a session begins. */
export function callbackEndpoint(options: CallbackOptions): Endpoint {
  return async (visit) => {
    const params = readParams(visit.query);
    const state = params?.one("state") ?? "";
    const attempt = state === "" ? undefined : readAttempt(options, visit, state);
    const target = checkRedirect(attempt?.target, visit.ingress, options.ingresses) ?? homeOf(visit.ingress);
    const cleared = state === "" ? [] : [options.cookies.clearAttempt(visit.ingress, state)];
    const answer =
      params === undefined
        ? refuse("repeated_parameter", 400, "bad_request")
        : await judgeAttempt(options, visit, params, attempt);
    const outcome = "reason" in answer ? answer : await finish(options, visit, answer, target);
    return withCookies(
      outcome instanceof Response ? outcome : await turnAway(options, visit, { target, attempt }, outcome),
      cleared,
    );
  };
}

/** A callback that may be used: made only by `judgeAttempt`. */
interface Answer {
  readonly attempt: Attempt;
  readonly provider: Provider;
  readonly code: string;
  readonly sessionState: string | undefined;
}

function refuse(reason: string, status: number, trouble: Refusal["trouble"], again = false): Refusal {
  return { reason, status, trouble, again };
}

/** RFC 6749 section 3.1: parameters must not be repeated. */
function readParams(query: string): FormParams | undefined {
  try {
    return parseForm(query);
  } catch {
    return undefined;
  }
}

function readAttempt(options: CallbackOptions, visit: Visit, state: string): Attempt | undefined {
  const attempt = options.cookies.readAttempt(visit.ingress, state, visit.cookies);
  if (attempt === undefined || !equalConstantTime(attempt.state, state)) return undefined;
  return options.now() - attempt.startedAt > attemptLifetimeSeconds ? undefined : attempt;
}

/**
 * Judges what came back before anything of it is used.
 * Checks: that this browser began the attempt; that the answer came to the callback of the provider that was asked; `iss` (RFC 9207
 * section 2.4), required when the provider announces it; the provider's own error.
 */
async function judgeAttempt(
  options: CallbackOptions,
  visit: Visit,
  params: FormParams,
  attempt: Attempt | undefined,
): Promise<Answer | Refusal> {
  if (attempt === undefined)
    return refuse("unknown_state", 401, "expired", options.cookies.hasAttempts(visit.ingress, visit.cookies));
  const door = options.doors.get(attempt.provider);
  if (
    door === undefined ||
    callbackUri(visit.ingress, door) !== attempt.redirectUri ||
    visit.path !== door.callbackPath
  )
    return refuse("wrong_callback", 401, "failed");
  const provider = await door.connection.provider().catch(() => undefined);
  if (provider === undefined) return refuse("provider_away", 503, "unavailable");
  const { issuer, authorization_response_iss_parameter_supported: announced } = provider.metadata;
  const iss = params.one("iss");
  if (iss === undefined ? announced === true : !equalConstantTime(iss, issuer))
    return refuse("wrong_iss", 401, "failed");
  const error = params.one("error");
  if (error === "access_denied") return refuse("access_denied", 401, "cancelled");
  if (error !== undefined) return refuse(`provider_error:${error.slice(0, 60)}`, 500, "failed", true);
  const code = params.one("code");
  if (code === undefined) return refuse("no_code", 400, "bad_request");
  return { attempt, provider, code, sessionState: params.one("session_state")?.slice(0, 512) };
}

async function finish(
  options: CallbackOptions,
  visit: Visit,
  answer: Answer,
  target: CheckedRedirect,
): Promise<Response | Refusal> {
  const { cookies, sessions } = options;
  try {
    // RFC 6749 section 4.1.2: a code sent twice has the provider revoke what it gave for it. Each attempt is redeemed once.
    if (!(await options.store.claim(`login:state:${answer.attempt.state}`, attemptLifetimeSeconds)))
      return refuse("used_before", 401, "expired", true);
    const fields = await redeemCode(answer.provider, answer.attempt, answer, options);
    const before = await options.admissions.look(visit.headers.cookie, visit.ingress);
    if (before.kind === "live" || before.kind === "inactive") await sessions.end(before.ticket.id);
    const { ticket, session } = await sessions.create(fields);
    options.logins.inc({ provider: session.provider, outcome: "signed_in" });
    options.log.info(
      { provider: session.provider, level: session.level, correlation_id: visit.correlationId },
      "signed in",
    );
    return redirect(target, [
      cookies.writeSession(visit.ingress, ticket),
      cookies.clearRetries(visit.ingress),
    ]);
  } catch (cause) {
    options.log.warn(
      { err: cause, provider: answer.provider.setup.name, correlation_id: visit.correlationId },
      "sign-in was not completed",
    );
    if (cause instanceof StoreUnavailable) return refuse("store_away", 503, "unavailable");
    return refuse("not_completed", 500, "failed", true);
  }
}

/**
 * What a user sees whose callback could not be used. With a live session a late or repeated callback simply goes on; else signing
 * in is tried again by itself, a few times and only in a browser that keeps cookies; else there is a page.
 */
async function turnAway(
  options: CallbackOptions,
  visit: Visit,
  was: { readonly target: CheckedRedirect; readonly attempt: Attempt | undefined },
  refusal: Refusal,
): Promise<Response> {
  const { cookies, now } = options;
  options.log.warn({ reason: refusal.reason, correlation_id: visit.correlationId }, "callback refused");
  options.logins.inc({ provider: "unknown", outcome: refusal.trouble });
  if (refusal.trouble === "expired" || refusal.trouble === "failed") {
    const standing = await options.admissions.look(visit.headers.cookie, visit.ingress);
    if (standing.kind === "live") return redirect(was.target);
  }
  const retry = retryPath(visit, was.target, was.attempt);
  const before = cookies.readRetries(visit.ingress, visit.cookies);
  const count = before === undefined || now() - before.since > 300 ? 0 : before.count;
  if (refusal.again && count < maxRetries && visit.method === "GET") {
    const retries = { count: count + 1, since: before === undefined || count === 0 ? now() : before.since };
    return redirect(retry, [cookies.writeRetries(visit.ingress, retries)], 307);
  }
  return failure(
    visit,
    refusal.status,
    refusal.trouble,
    refusal.trouble === "bad_request" ? undefined : retry,
  );
}

/** The same sign-in once more: trying again must not ask the provider for less than the first time. */
function retryPath(visit: Visit, target: CheckedRedirect, attempt: Attempt | undefined): string {
  const path = loginPath(visit, target);
  if (attempt === undefined) return path;
  const wish = new URLSearchParams({ provider: attempt.provider });
  if (attempt.level !== undefined) wish.set("level", attempt.level);
  if (attempt.prompt !== undefined) wish.set("prompt", attempt.prompt);
  if (attempt.maxAgeSeconds !== undefined) wish.set("max_age", String(attempt.maxAgeSeconds));
  return `${path}&${wish.toString()}`;
}
