import type { Clock } from "@portvakt/oauth";
import type { CounterMetric, Logger } from "@portvakt/runtime/observe";
import type { KeyValueStore } from "@portvakt/runtime/store";
import { levelOf } from "@portvakt/providers";
import type { Connection, Provider } from "../provider/connection.ts";
import { beginSignIn, type SignInDefaults, type SignInWish } from "../provider/sign-in.ts";
import type { Ingress } from "../request/ingress.ts";
import { checkRedirect, homeOf, type CheckedRedirect } from "../request/redirect.ts";
import type { Admissions } from "../session/admission.ts";
import type { OwnCookies } from "../session/cookies.ts";
import type { Sessions } from "../session/store.ts";
import { redirect, type Endpoint, type Visit } from "../visit.ts";
import { failure, loginPath } from "./failure.ts";

/** How one provider is asked, when the query does not say otherwise. */
export interface ProviderDefaults extends SignInDefaults {
  readonly level: string | undefined;
  readonly locale: string | undefined;
  readonly domainHint: string | undefined;
}

/** A provider that users can sign in with here. */
export interface Door {
  readonly connection: Connection;
  readonly defaults: ProviderDefaults;
  /** Path below `/oauth2` of its own callback, so that an answer cannot be taken for another provider's. */
  readonly callbackPath: string;
}

export interface LoginOptions {
  readonly doors: ReadonlyMap<string, Door>;
  readonly chooser: (visit: Visit, target: CheckedRedirect) => Response;
  readonly ingresses: readonly Ingress[];
  readonly cookies: OwnCookies;
  readonly admissions: Pick<Admissions, "look">;
  readonly sessions: Pick<Sessions, "end">;
  readonly store: Pick<KeyValueStore, "claim">;
  /** Logins within the window, for browsers that hold a session already; undefined = no limit. */
  readonly rateLimit: { readonly logins: number; readonly windowSeconds: number } | undefined;
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly log: Logger;
  readonly started: CounterMetric;
}

/** `GET /oauth2/login`: sends the browser to the provider. */
export function loginEndpoint(options: LoginOptions): Endpoint {
  const { cookies, doors, log } = options;
  return async (visit) => {
    const target =
      checkRedirect(visit.params.get("redirect"), visit.ingress, options.ingresses) ?? homeOf(visit.ingress);
    const door = chooseDoor(doors, visit.params.get("provider"));
    if (door === "unknown") return failure(visit, 400, "bad_request");
    if (door === undefined) return options.chooser(visit, target);
    const prompt = promptOf(visit.params.get("prompt"));
    const standing = await options.admissions.look(visit.headers.cookie, visit.ingress);
    const cleared = prompt === undefined ? [] : [cookies.clearSession(visit.ingress)];
    try {
      if (standing.kind === "live" || standing.kind === "inactive") {
        if (await isTooOften(options, standing.ticket.id))
          return failure(visit, 429, "too_many", loginPath(visit, target));
        if (prompt !== undefined) await options.sessions.end(standing.ticket.id);
      }
      const provider = await door.connection.provider();
      const wish = wishOf(visit, door, provider, target, prompt);
      const signIn = await beginSignIn(provider, wish, door.defaults, options);
      options.started.inc({ provider: provider.setup.name });
      return redirect(signIn.location, [
        ...cookies.writeAttempt(visit.ingress, signIn.attempt, visit.cookies),
        ...cleared,
      ]);
    } catch (cause) {
      log.error({ err: cause, correlation_id: visit.correlationId }, "sign-in could not begin");
      return failure(visit, 503, "unavailable", loginPath(visit, target));
    }
  };
}

/** The provider's own callback address at an ingress, as it is registered there. */
export function callbackUri(ingress: Ingress, door: Door): string {
  return `${ingress.origin}${ingress.prefix}/oauth2${door.callbackPath}`;
}

function chooseDoor(doors: ReadonlyMap<string, Door>, asked: string | null): Door | undefined | "unknown" {
  if (asked !== null) return doors.get(asked) ?? "unknown";
  const [only, ...others] = doors.values();
  return others.length === 0 ? only : undefined;
}

/** Of all prompts, the two that the baseline knows; any other wish for one means signing in anew. */
function promptOf(asked: string | null): "login" | "select_account" | undefined {
  if (asked === null || asked === "") return undefined;
  return asked === "select_account" ? "select_account" : "login";
}

function wishOf(
  visit: Visit,
  door: Door,
  provider: Provider,
  target: CheckedRedirect,
  prompt: SignInWish["prompt"],
): SignInWish {
  const { params } = visit;
  const { metadata, setup } = provider;
  const asked = params.get("level");
  const level = asked === null ? undefined : levelOf(setup.habits, asked);
  const known =
    level !== undefined && [...(metadata.acr_values_supported ?? setup.habits.levels)].includes(level);
  const locale = params.get("locale");
  const speaks = locale !== null && (metadata.ui_locales_supported ?? []).includes(locale);
  return {
    redirectUri: callbackUri(visit.ingress, door),
    target,
    level: known ? level : door.defaults.level,
    locale: speaks ? locale : door.defaults.locale,
    prompt,
    domainHint: hint(params.get("domain_hint")) ?? door.defaults.domainHint,
    loginHint: hint(params.get("login_hint")),
    maxAgeSeconds: prompt === "login" ? 0 : maxAge(params.get("max_age")),
  };
}

function hint(value: string | null): string | undefined {
  return value === null || value === "" || value.length > 200 || /[^ -~\u00a0-\uffff]/.test(value)
    ? undefined
    : value;
}

function maxAge(value: string | null): number | undefined {
  return value !== null && /^\d{1,6}$/.test(value) ? Number(value) : undefined;
}

/**
 * A redirect loop in the application shows as one signed-in browser asking to sign in again and again. Each login claims one of
 * the window's places in the store, so that the count holds over all replicas and no browser can reset it.
 */
async function isTooOften(options: LoginOptions, sessionId: string): Promise<boolean> {
  if (options.rateLimit === undefined) return false;
  const { logins, windowSeconds } = options.rateLimit;
  for (let place = 0; place < logins; place++) {
    if (await options.store.claim(`login:rate:${sessionId}:${place}`, windowSeconds)) return false;
  }
  return true;
}
