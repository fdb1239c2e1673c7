import { randomToken } from "@portvakt/oauth";
import type { Visit } from "../app.ts";
import type { Expiring } from "../expiring.ts";
import { logoutQuestionPage, stillSignedInPage } from "../pages/logout-question.ts";
import { signedOutPage } from "../pages/signed-out.ts";
import { pickLocale, type Locale } from "../pages/texts.ts";
import { currentSession } from "./authorize.ts";
import { cookieNames, endCookie } from "./cookies.ts";
import { openHint } from "./hint.ts";
import type { Session } from "./logins.ts";
import type { SigninClient, SigninProvider } from "./provider.ts";
import { redirect } from "./response.ts";
import type { Signing } from "../keys/signing.ts";

export interface LogoutOptions {
  readonly provider: SigninProvider;
  readonly signing: Signing;
  /** Sends a back-channel logout; the stand-in waits for none of them. */
  readonly send: (url: string, body: URLSearchParams) => Promise<unknown>;
  /** What becomes of a post_logout_redirect_uri that is not registered: an error page, or the signed-out page. */
  readonly unregistered: "refuse" | "stay";
  /** What a browser without a session meets: an error page, or what it would have met with one. */
  readonly withoutSession: "refuse" | "go on";
  /** Asks the person where the specification demands it; absent = the provider never asks. */
  readonly question?: LogoutQuestion;
  /** The members of a logout URI's query (front-channel logout). */
  readonly frontchannelMembers: (session: Session, visit: Visit) => Record<string, string>;
}

/** Logouts that wait for somebody's yes. */
export interface LogoutQuestion {
  readonly waiting: Expiring<LogoutWaiting>;
  /** Where the answer goes. */
  readonly path: string;
}

/** A logout that was asked for in a session. */
export interface LogoutWaiting {
  readonly sessionId: string;
  readonly next: string | undefined;
}

const questionSeconds = 600;

/** Sends logout tokens by POST: no redirect is followed, and nobody is waited for longer than five seconds. */
export function sendByPost(fetching: typeof fetch): LogoutOptions["send"] {
  return (url, body) =>
    fetching(url, { method: "POST", body, redirect: "error", signal: AbortSignal.timeout(5000) });
}

/**
 * RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0): ends the session, tells every client that has a part in
 * it by front channel (in iframes on the page) and back channel, and goes on to the registered URI.
 *
 * Checks: that id_token_hint is one of our own (it may have expired), that client_id agrees, that the URI is registered
 * for that client, that state is printable ASCII. Asks the person first where the hint is not about this session
 * (section 2) and the provider asks at all.
 */
export async function logout(options: LogoutOptions, visit: Visit): Promise<Response> {
  const { provider, question } = options;
  const { params } = visit;
  const requester = await requestingClient(options, visit);
  const session = currentSession(provider, visit.request);
  if (session === undefined && options.withoutSession === "refuse")
    throw provider.unredirectable("other", "there is no session in this browser", visit);
  const target = registeredTarget(options, requester.client, session, visit);
  const state = params.one("state");
  if (state !== undefined && !/^[\x20-\x7e]+$/.test(state))
    throw provider.unredirectable("other", "state", visit);
  const next = target === undefined ? undefined : withState(target, state);
  if (session !== undefined && question !== undefined && !isAbout(provider, requester, session)) {
    const id = randomToken(24);
    question.waiting.set(id, { sessionId: session.id, next }, questionSeconds);
    return logoutQuestionPage(provider.theme, {
      locale: localeOf(provider, visit),
      action: question.path,
      id,
    });
  }
  return finish(options, session, next, visit);
}

/** The answer to the question: yes ends the session as it was asked for, anything else leaves it. */
export async function answerLogout(options: LogoutOptions, visit: Visit): Promise<Response> {
  const { provider, question } = options;
  const id = visit.params.one("question") ?? "";
  const waiting = question?.waiting.get(id);
  const session = currentSession(provider, visit.request);
  if (waiting === undefined || session?.id !== waiting.sessionId)
    throw provider.unredirectable("other", "this page is too old", visit);
  question?.waiting.delete(id);
  if (visit.params.one("answer") === "yes") return finish(options, session, waiting.next, visit);
  return stillSignedInPage(provider.theme, localeOf(provider, visit));
}

/** Whether the hint shows that the client means this very session. */
function isAbout(provider: SigninProvider, { client, subject }: Requester, session: Session): boolean {
  return (
    client !== undefined && subject !== undefined && subject === provider.subject(session.person, client.id)
  );
}

async function finish(
  options: LogoutOptions,
  session: Session | undefined,
  next: string | undefined,
  visit: Visit,
): Promise<Response> {
  const { provider } = options;
  const frames = session === undefined ? [] : endSession(options, session, visit);
  const cookie = endCookie(cookieNames(provider.name).session, provider.cookiePath);
  if (next !== undefined && frames.length === 0) return redirect(next, [cookie]);
  const response = await signedOutPage(provider.theme, { locale: localeOf(provider, visit), frames, next });
  response.headers.append("set-cookie", cookie);
  return response;
}

function localeOf({ theme }: SigninProvider, { params, request }: Visit): Locale {
  const wished = params.one("ui_locales")?.split(" ") ?? [];
  return pickLocale(wished, request.headers.get("accept-language"), theme.locales);
}

/** Where to go afterwards. Without a named client, a URI of any client of the session counts where the provider is lenient. */
function registeredTarget(
  { provider, unregistered }: LogoutOptions,
  client: SigninClient | undefined,
  session: Session | undefined,
  visit: Visit,
): string | undefined {
  const target = visit.params.one("post_logout_redirect_uri");
  if (target === undefined) return undefined;
  const lenient = unregistered === "stay" && client === undefined;
  const candidates = lenient
    ? [...(session?.clients ?? [])].flatMap((id) => provider.findClient(id, visit) ?? [])
    : [client];
  if (candidates.some((one) => one?.postLogoutRedirectUris.includes(target) === true)) return target;
  if (unregistered === "refuse") throw provider.unredirectable("redirect_uri", target, visit);
  return undefined;
}

/** Ends a session; the answer is the front-channel URIs that the browser must load. */
function endSession(options: LogoutOptions, session: Session, visit: Visit): string[] {
  const { provider } = options;
  provider.logins.sessions.delete(session.id);
  provider.logins.revoked.set(session.sid, true, 86_400);
  const clients = [...session.clients].flatMap((id) => provider.findClient(id, visit) ?? []);
  for (const client of clients) {
    if (client.backchannelLogoutUri === undefined) continue;
    void tellByBackchannel(options, client, client.backchannelLogoutUri, session, visit);
  }
  return clients.flatMap((client) => {
    if (client.frontchannelLogoutUri === undefined) return [];
    const uri = new URL(client.frontchannelLogoutUri);
    if (client.frontchannelSessionRequired)
      for (const [name, value] of Object.entries(options.frontchannelMembers(session, visit)))
        uri.searchParams.set(name, value);
    return [uri.href];
  });
}

/** OpenID Connect Back-Channel Logout 1.0 section 2.4. */
async function tellByBackchannel(
  options: LogoutOptions,
  client: SigninClient,
  uri: string,
  session: Session,
  visit: Visit,
): Promise<void> {
  const { provider, signing } = options;
  const now = Math.floor(provider.now());
  const token = await signing.sign(
    {
      iss: provider.issuer(visit),
      aud: client.id,
      iat: now,
      exp: now + 120,
      jti: randomToken(16),
      sub: provider.subject(session.person, client.id),
      sid: session.sid,
      events: { "http://schemas.openid.net/event/backchannel-logout": {} },
    },
    { provider: provider.name, token: "logout_token", clientId: client.id, test: visit.test },
    "logout+jwt",
  );
  await options.send(uri, new URLSearchParams({ logout_token: token })).catch(() => undefined);
}

interface Requester {
  readonly client: SigninClient | undefined;
  /** Whom the hint is about. */
  readonly subject: string | undefined;
}

async function requestingClient(options: LogoutOptions, visit: Visit): Promise<Requester> {
  const { provider, signing } = options;
  const hint = visit.params.one("id_token_hint");
  const named = visit.params.one("client_id");
  if (hint === undefined)
    return {
      client: named === undefined ? undefined : provider.findClient(named, visit),
      subject: undefined,
    };
  const claims = await openHint(hint, provider.issuer(visit), signing);
  if (claims === undefined) throw provider.unredirectable("other", "id_token_hint", visit);
  const { aud, sub } = claims;
  const audience = typeof aud === "string" ? aud : (aud?.[0] ?? "");
  if (named !== undefined && named !== audience) throw provider.unredirectable("other", "client_id", visit);
  return { client: provider.findClient(audience, visit), subject: sub };
}

function withState(target: string, state: string | undefined): string {
  const uri = new URL(target);
  if (state !== undefined) uri.searchParams.set("state", state);
  return uri.href;
}
