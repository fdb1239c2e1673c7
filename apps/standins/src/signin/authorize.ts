import { ProtocolError, randomToken } from "@portvakt/oauth";
import type { Visit } from "../app.ts";
import { signInPage, type PageState } from "../pages/sign-in.ts";
import { asLocale, pickLocale } from "../pages/texts.ts";
import { cookieNames, readCookie, writeCookie } from "./cookies.ts";
import type { Login, Person, Session } from "./logins.ts";
import type { AuthorizationRequest, Pending, SigninProvider } from "./provider.ts";
import { judgeRequest, readRequest } from "./request.ts";
import { answerRequest, refuseRequest } from "./response.ts";

const pendingSeconds = 900;

/**
 * The authorization endpoint (RFC 6749 section 3.1, OpenID Connect Core section 3.1.2): read -> judge -> session or
 * hint good enough? answer : show the page.
 */
export async function authorize(provider: SigninProvider, visit: Visit): Promise<Response> {
  const request = await readRequest(provider, visit);
  try {
    judgeRequest(provider, request);
  } catch (thrown) {
    if (thrown instanceof ProtocolError) return refuseRequest(provider, request, thrown);
    throw thrown;
  }
  const session = currentSession(provider, visit.request);
  if (session !== undefined && suffices(provider, session, request))
    return complete(provider, request, session.person, session);
  if (request.prompt.includes("none"))
    return refuseRequest(provider, request, new ProtocolError("login_required", "nobody is signed in"));
  const hinted = request.loginHint === undefined ? undefined : provider.persona(request.loginHint, visit);
  if (hinted !== undefined) return choose(provider, request, hinted);
  return showPage(provider, request);
}

/** The page's form: a persona's card, the typed person, edited claims, another language, or cancel. */
export async function signIn(provider: SigninProvider, visit: Visit): Promise<Response> {
  const form = visit.params;
  const pending = provider.pending.get(form.one("pending") ?? "");
  const browser = readCookie(visit.request, cookieNames(provider.name).browser);
  if (pending === undefined || browser === undefined || browser !== pending.browser)
    throw provider.unredirectable("other", "this page is too old; start again from the application", visit);
  const locale = asLocale(form.one("locale")) ?? "nb";
  const again = (state: Partial<PageState>): Promise<Response> =>
    page(provider, pending, form.one("pending") ?? "", { locale, ...state });
  const edit = form.one("edit");
  const language = form.one("language");
  if (language !== undefined) return again({ locale: asLocale(language) ?? "nb" });
  if (edit !== undefined) return again({ editing: edit });
  const chosen = chosenPerson(provider, visit);
  if (typeof chosen === "string" && chosen !== "cancels") return again({ problem: chosen });
  const refusal = chosen === "cancels" ? undefined : provider.refuses(chosen, pending.request);
  if (refusal !== undefined) return again({ problem: refusal.description });
  provider.pending.delete(form.one("pending") ?? "");
  return choose(provider, pending.request, chosen);
}

/** Who was chosen; "cancels" for nobody, another text for what is wrong. */
function chosenPerson(provider: SigninProvider, visit: Visit): Person | string {
  const form = visit.params;
  if (form.one("cancel") !== undefined) return "cancels";
  const id = form.one("persona");
  if (id === undefined) return provider.typed(form, visit);
  const person = provider.persona(id, visit);
  if (person === undefined) return "unknown persona";
  const edited = form.one("claims");
  if (person === "cancels" || edited === undefined) return person;
  const claims = parseClaims(edited);
  return claims === undefined ? "claims" : withClaims(person, claims);
}

/** The person with the claims as they were edited; a changed level or group list counts as well. */
function withClaims(person: Person, claims: Record<string, unknown>): Person {
  const { acr, groups, ...rest } = claims;
  return {
    ...person,
    claims: rest,
    ...(typeof acr === "string" ? { acr } : {}),
    ...(Array.isArray(groups) ? { groups: groups.filter((group) => typeof group === "string") } : {}),
  };
}

function parseClaims(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

async function choose(
  provider: SigninProvider,
  request: AuthorizationRequest,
  person: Person | "cancels",
): Promise<Response> {
  if (person === "cancels")
    return refuseRequest(
      provider,
      request,
      new ProtocolError("access_denied", "the user cancelled the sign-in"),
    );
  const refusal = provider.refuses(person, request);
  if (refusal !== undefined && provider.refusedOn === "page") throw refusal;
  if (refusal !== undefined) return refuseRequest(provider, request, refusal);
  // OpenID Connect Core section 3.1.2.2: never an answer about somebody else than the client asked for.
  if (isSomebodyElse(provider, request, person))
    return refuseRequest(
      provider,
      request,
      new ProtocolError("login_required", "somebody else signed in than the client asked for"),
    );
  return complete(provider, request, person, undefined);
}

function isSomebodyElse(provider: SigninProvider, request: AuthorizationRequest, person: Person): boolean {
  return request.subject !== undefined && request.subject !== provider.subject(person, request.client.id);
}

/** The session of this browser, while it lasts. */
export function currentSession(provider: SigninProvider, request: Request): Session | undefined {
  const id = readCookie(request, cookieNames(provider.name).session);
  return id === undefined ? undefined : provider.logins.sessions.get(id);
}

/** Whether the session answers the request without asking anybody (OpenID Connect Core section 3.1.2.1). */
function suffices(provider: SigninProvider, session: Session, request: AuthorizationRequest): boolean {
  const { prompt, maxAgeSeconds, loginHint, client } = request;
  if (client.isolated || prompt.some((one) => one !== "none")) return false;
  // max_age=0 asks for a new sign-in, as prompt=login does.
  if (maxAgeSeconds === 0 || isSomebodyElse(provider, request, session.person)) return false;
  if (maxAgeSeconds !== undefined && provider.now() - session.authTime > maxAgeSeconds) return false;
  const hinted = loginHint === undefined ? undefined : provider.persona(loginHint, request.visit);
  if (hinted === "cancels" || (hinted !== undefined && hinted.id !== session.person.id)) return false;
  return provider.refuses(session.person, request) === undefined;
}

/** Makes or prolongs the session, and sends the code. */
async function complete(
  provider: SigninProvider,
  request: AuthorizationRequest,
  person: Person,
  existing: Session | undefined,
): Promise<Response> {
  const { now, logins, sessionSeconds } = provider;
  const session = existing ?? startSession(provider, request, person);
  provider.signedIn(session.person);
  session.clients.add(request.client.id);
  const idle = request.client.isolated && existing === undefined ? 60 : sessionSeconds.idle;
  logins.sessions.set(session.id, session, Math.min(idle, session.endsAt - now()));
  const login: Login = {
    id: randomToken(16),
    clientId: request.client.id,
    person: session.person,
    scope: request.scope,
    resource: request.resource,
    nonce: request.nonce,
    claims: request.claims,
    ...(provider.level === undefined ? {} : { acr: provider.level(request) }),
    authTime: session.authTime,
    sid: session.sid,
    endsAt: now() + provider.refreshSeconds(request.client),
  };
  const code = logins.newCode(login, request.redirectUri, request.challenge);
  const response = await answerRequest(provider, request, { code }, session);
  if (existing === undefined && !request.client.isolated) {
    const secure = provider.issuer(request.visit).startsWith("https:");
    response.headers.append(
      "set-cookie",
      writeCookie(cookieNames(provider.name).session, session.id, { secure, path: provider.cookiePath }),
    );
  }
  return response;
}

/**
 * A session for a person who has just signed in. Its cookie is new; where the same person signs in again (to reach a
 * higher level, say) clients go on knowing it by the same sid, and somebody else's session in this browser is over.
 */
function startSession(provider: SigninProvider, request: AuthorizationRequest, person: Person): Session {
  const now = provider.now();
  const before = request.client.isolated ? undefined : currentSession(provider, request.visit.request);
  if (before !== undefined) provider.logins.sessions.delete(before.id);
  const same = before?.person.id === person.id ? before : undefined;
  return {
    id: randomToken(32),
    sid: same?.sid ?? randomToken(16),
    person,
    authTime: Math.floor(now),
    endsAt: now + provider.sessionSeconds.longest,
    clients: new Set(same?.clients),
  };
}

async function showPage(provider: SigninProvider, request: AuthorizationRequest): Promise<Response> {
  const { visit } = request;
  const names = cookieNames(provider.name);
  const known = readCookie(visit.request, names.browser);
  const browser = known !== undefined && /^[\w-]{22,64}$/.test(known) ? known : randomToken(32);
  const id = randomToken(24);
  const pending: Pending = { request, browser };
  provider.pending.set(id, pending, pendingSeconds);
  const response = await page(provider, pending, id, {
    locale: pickLocale(
      request.uiLocales,
      visit.request.headers.get("accept-language"),
      provider.theme.locales,
    ),
  });
  const secure = provider.issuer(visit).startsWith("https:");
  response.headers.append(
    "set-cookie",
    writeCookie(names.browser, browser, { secure, path: provider.cookiePath }),
  );
  return response;
}

function page(provider: SigninProvider, pending: Pending, id: string, state: PageState): Promise<Response> {
  const { request } = pending;
  const editing = state.editing === undefined ? undefined : provider.persona(state.editing, request.visit);
  return signInPage(provider.theme, {
    ...state,
    pending: id,
    action: provider.signinPath(request.visit),
    client: provider.asker?.(request) ?? request.client.name,
    choices: provider.choices(request),
    hint: request.loginHint,
    claims: editing === undefined || editing === "cancels" ? undefined : editableClaims(editing),
  });
}

/** What the page offers for editing: everything the persona brings into tokens. */
function editableClaims(person: Person): Record<string, unknown> {
  return {
    ...person.claims,
    ...(person.acr === undefined ? {} : { acr: person.acr }),
    ...(person.groups === undefined || person.groups.length === 0 || person.groups.length > 20
      ? {}
      : { groups: person.groups }),
  };
}
