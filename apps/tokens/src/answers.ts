import { Fault, ProtocolError, ReportedError } from "@portvakt/oauth";
import type { Provider } from "@portvakt/providers";
import { Unavailable } from "./acquire/acquire.ts";
import { WorkloadTokenUnreadable } from "./connections/workload-token.ts";

/** An answer before it is written: every endpoint gives one, the listener writes it. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** What went wrong, for the log: nothing of it is written. */
  readonly cause?: unknown;
}

/** An answer of JSON. */
export function json(status: number, body: unknown, headers?: Readonly<Record<string, string>>): Answer {
  return { status, body: JSON.stringify(body), ...(headers === undefined ? {} : { headers }) };
}

/** What is known about a request when it fails; empty for one that could not even be read. */
export interface Circumstances {
  readonly provider?: Provider;
  readonly target?: string;
}

/**
 * The one exit for errors (RFC 6749 section 5.2). A provider's refusal keeps its status and every member that it had, and
 * gains `hint`, `hint_code` and `owner` when its code is known. Of an unexpected error nothing is copied.
 */
export function errorAnswer(error: unknown, circumstances: Circumstances = {}): Answer {
  if (error instanceof ProtocolError) return json(error.status, error.toBody());
  if (error instanceof ReportedError) return reported(error, circumstances);
  return { ...failure(error), cause: error };
}

/** What is told of what went wrong here, or on the way to the provider. */
function failure(error: unknown): Answer {
  if (error instanceof Unavailable) {
    const body = { error: "temporarily_unavailable", error_description: error.message };
    const hint = "the request itself was not judged: the same request may work in a moment";
    const headers = { "retry-after": String(error.retryAfterSeconds) };
    return json(503, { ...body, hint, owner: "provider" }, headers);
  }
  const body = { error: "server_error", owner: "platform" };
  if (error instanceof WorkloadTokenUnreadable) {
    const hint =
      "mount the service account's token as a projected volume, at the path that PORTVAKT_TOKENS_WORKLOAD_TOKEN_PATH or NAIS_SERVICE_ACCOUNT_TOKEN_PATH names, readable to this process";
    return json(500, { ...body, error_description: error.message, hint });
  }
  if (error instanceof Fault && error.code === "bad_key") {
    const error_description =
      "the request to the provider could not be signed: this application's key cannot be used";
    return json(500, { ...body, error_description });
  }
  return json(500, { ...body, error_description: "the request could not be served" });
}

/** The answer under an id, by which whoever gets it finds its cause in the log. */
export function underId(answer: Answer, correlation_id: string): Answer {
  const members = JSON.parse(answer.body) as Record<string, unknown>;
  return { ...answer, body: JSON.stringify({ ...members, correlation_id }) };
}

function reported(error: ReportedError, { provider, target }: Circumstances): Answer {
  const explanation = provider?.explain(error, target ?? "");
  const status = error.status >= 400 && error.status <= 599 ? error.status : 502;
  const body = {
    ...error.body,
    // A provider may leave the description out (RFC 6749 section 5.2); callers need not care.
    error_description: error.description ?? `${provider?.title ?? "the provider"} gave no description`,
    ...(explanation?.uri === undefined || error.body["error_uri"] !== undefined
      ? {}
      : { error_uri: explanation.uri }),
    ...(explanation === undefined
      ? {}
      : { hint: explanation.hint, hint_code: explanation.code, owner: explanation.owner }),
  };
  const wait = error.retryAfterSeconds;
  return json(status, body, wait === undefined ? undefined : { "retry-after": String(wait) });
}
