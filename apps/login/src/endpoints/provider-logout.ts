import { equalConstantTime, judgeLogoutToken, parseForm, peekJwt, type Clock } from "@portvakt/oauth";
import type { CounterMetric, Logger } from "@portvakt/runtime/observe";
import type { KeyValueStore } from "@portvakt/runtime/store";
import type { Provider } from "../provider/connection.ts";
import type { OwnCookies } from "../session/cookies.ts";
import { nameOf, type ProviderUser } from "../session/model.ts";
import type { Sessions } from "../session/store.ts";
import { withCookies, type Endpoint, type Visit } from "../visit.ts";
import { waitingForStore, type Waiting } from "./again.ts";
import type { Door } from "./login.ts";
import { revokeLater } from "./revoke.ts";

export interface ProviderLogoutOptions {
  readonly doors: ReadonlyMap<string, Door>;
  readonly cookies: Pick<OwnCookies, "clearSession">;
  readonly sessions: Pick<Sessions, "endAll">;
  readonly store: Pick<KeyValueStore, "claim">;
  readonly now: Clock;
  readonly fetch: typeof fetch;
  readonly log: Logger;
  readonly logouts: CounterMetric;
}

const maxBodyBytes = 65_536;
/** Logouts that wait for the store. Whoever shows our frame fills the first; only a provider's signature opens the second. */
const maxWaiting = { front_channel: 1000, back_channel: 20_000 } as const;

/**
 * `GET /oauth2/logout/frontchannel` (OpenID Connect Front-Channel Logout 1.0 section 3): the provider shows us in a frame.
 * Checks: `iss` is one of our providers, together with `sid`. Does not check: who calls; the pair must be known to nobody else.
 * 202 when there is nothing to end, or when that waits for the store; 503 when no more can wait.
 */
export function frontChannelEndpoint(options: ProviderLogoutOptions): Endpoint {
  const end = endOrWait(options, "front_channel");
  return async (visit) => {
    const cleared = [options.cookies.clearSession(visit.ingress)];
    const sid = visit.params.get("sid") ?? "";
    if (sid === "") return withCookies(new Response(null, { status: 202 }), cleared);
    const provider = await findByIssuer(options.doors, visit.params.get("iss") ?? "");
    if (provider === undefined) return new Response(null, { status: 400 });
    const of = { issuer: visit.params.get("iss") ?? "", providerSession: sid };
    const status = { done: 200, waits: 202, refused: 503 }[await end(visit, [of])];
    const response = new Response(null, { status, headers: status === 503 ? retryAfter : {} });
    return withCookies(framable(response, provider), cleared);
  };
}

/**
 * `POST /oauth2/logout/backchannel` (OpenID Connect Back-Channel Logout 1.0 section 2.5).
 * Checks: the logout token by section 2.6, and that its `jti` is new. Sessions are found by `(iss, sid)`, and by `(iss, sub)` those
 * that have no `sid`, or all when the token has none; their tokens are revoked after the answer.
 */
export function backChannelEndpoint(options: ProviderLogoutOptions): Endpoint {
  const end = endOrWait(options, "back_channel");
  return async (visit) => {
    const token = await readLogoutToken(visit);
    if (token === undefined) return refused("the request has no logout_token");
    const issuer = peekJwt(token)?.claims.iss;
    const provider = issuer === undefined ? undefined : await findByIssuer(options.doors, issuer);
    if (provider === undefined) return refused("the logout token is of no provider of ours");
    const result = await judgeLogoutToken(
      token,
      { ...provider.rules, audience: provider.setup.clientId },
      options.now,
    );
    if (!result.ok) {
      options.log.warn(
        { reason: result.refusal.code, correlation_id: visit.correlationId },
        "logout token refused",
      );
      return refused(result.refusal.message);
    }
    const { iss = "", sub, sid, jti = "", exp = 0 } = result.token.claims;
    const remembered = Math.min(Math.max(60, exp - options.now() + 60), 86_400);
    const mark = `login:logout-jti:${JSON.stringify([iss, jti])}`;
    const isNew = await options.store.claim(mark, remembered).catch(() => undefined);
    if (isNew === false) return refused("the logout token was used before");
    const names = namesIn({ iss, sub, sid: typeof sid === "string" ? sid : undefined });
    if ((await end(visit, names)) === "done") return new Response(null, { status: 200 });
    return Response.json({ error: "temporarily_unavailable" }, { status: 503, headers: retryAfter });
  };
}

const retryAfter = { "retry-after": "2" };

/** A session that has no `sid` of its own may be the one that is meant: its user names it. */
function namesIn(claims: { iss: string; sub: string | undefined; sid: string | undefined }): ProviderUser[] {
  const { iss: issuer, sub: subject, sid } = claims;
  if (sid === undefined) return [{ issuer, subject: subject ?? "" }];
  const named = { issuer, providerSession: sid };
  return subject === undefined ? [named] : [named, { issuer, subject, without: "sid" }];
}

/** Ends the sessions now or, when the store is away, as soon as it is back. */
function endOrWait(
  options: ProviderLogoutOptions,
  operation: keyof typeof maxWaiting,
): (visit: Visit, names: readonly ProviderUser[]) => Promise<"done" | "waits" | "refused"> {
  const { log } = options;
  const waiting: Waiting = waitingForStore({ log, what: operation, max: maxWaiting[operation] });
  return async ({ correlationId: correlation_id }, names) => {
    const work = async (): Promise<void> => {
      const { ended, revocable } = await options.sessions.endAll(names);
      void revokeLater(options, revocable);
      if (ended > 0) options.logouts.inc({ operation });
      log.info({ operation, ended, correlation_id }, "logged out by the provider");
    };
    try {
      await work();
      return "done";
    } catch (err) {
      log.error({ err, operation, correlation_id }, "a logout by the provider waits for the store");
      return waiting.add(names.map(nameOf).join(), work) ? "waits" : "refused";
    }
  };
}

/** The provider whose tokens may carry this issuer. Just after the start it waits for those that are not known yet: a logout is told once. */
async function findByIssuer(doors: ReadonlyMap<string, Door>, issuer: string): Promise<Provider | undefined> {
  const connections = [...doors.values()].map(({ connection }) => connection);
  const known = connections.map((connection) => connection.known());
  const named = known.find((provider) => mayIssue(provider, issuer));
  if (named !== undefined) return named;
  const unknown = connections.filter((_, index) => known[index] === undefined);
  const reached = await Promise.all(
    unknown.map((connection) => connection.provider().catch(() => undefined)),
  );
  return reached.find((provider) => mayIssue(provider, issuer));
}

/** With tenants, any issuer that the provider's rules could accept. */
function mayIssue(provider: Provider | undefined, issuer: string): boolean {
  if (provider === undefined) return false;
  const { metadata, setup } = provider;
  const issuers = metadata.issuer.includes("{tenantid}")
    ? setup.tenants.map((tenant) => metadata.issuer.replace("{tenantid}", tenant))
    : [metadata.issuer];
  return issuers.some((one) => equalConstantTime(one, issuer));
}

async function readLogoutToken(visit: Visit): Promise<string | undefined> {
  const type = visit.headers["content-type"]?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") return undefined;
  try {
    return parseForm(await visit.body(maxBodyBytes)).one("logout_token");
  } catch {
    return undefined;
  }
}

function refused(description: string): Response {
  return Response.json({ error: "invalid_request", error_description: description }, { status: 400 });
}

/** Only the provider may show this answer in a frame. */
function framable(response: Response, provider: Provider): Response {
  const origins = new Set(
    [provider.metadata.authorization_endpoint, provider.metadata.issuer].flatMap(
      (url) => URL.parse(url ?? "")?.origin ?? [],
    ),
  );
  response.headers.set(
    "content-security-policy",
    `default-src 'none'; frame-ancestors ${[...origins].join(" ")}`,
  );
  return response;
}
