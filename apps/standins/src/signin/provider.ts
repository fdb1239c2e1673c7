import type { Clock, FormParams, ProtocolError } from "@portvakt/oauth";
import type { KeySet } from "@portvakt/oauth";
import type { Visit } from "../app.ts";
import type { Expiring } from "../expiring.ts";
import type { ProviderName } from "../faults/faults.ts";
import type { Theme } from "../pages/layout.ts";
import type { Choice } from "../pages/sign-in.ts";
import type { Signing } from "../keys/signing.ts";
import type { ClaimsRequest } from "./claims-request.ts";
import type { Logins, Person, Session } from "./logins.ts";

/** A client, as far as signing in and out looks at it. */
export interface SigninClient {
  readonly id: string;
  readonly name: string;
  readonly keys: KeySet | undefined;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly frontchannelLogoutUri: string | undefined;
  readonly frontchannelSessionRequired: boolean;
  readonly backchannelLogoutUri: string | undefined;
  /** Keeps to itself: neither uses nor makes a session that others share. */
  readonly isolated: boolean;
}

export type ResponseMode = "query" | "fragment" | "form_post";

/** An authorization request whose client and redirect URI are known to be good. */
export interface AuthorizationRequest {
  readonly client: SigninClient;
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  readonly state: string | undefined;
  readonly nonce: string | undefined;
  readonly scope: readonly string[];
  readonly resource: readonly string[];
  readonly challenge: string | undefined;
  readonly prompt: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  readonly loginHint: string | undefined;
  readonly uiLocales: readonly string[];
  /** The only person who may be the answer: by id_token_hint, or by a wished `sub`. */
  readonly subject: string | undefined;
  readonly claims: ClaimsRequest;
  /** What was wrong with the request before it could be judged; it is told to the client. */
  readonly flaw: ProtocolError | undefined;
  readonly params: FormParams;
  readonly visit: Visit;
}

/** A sign-in that waits for somebody to choose on the page. */
export interface Pending {
  readonly request: AuthorizationRequest;
  /** The value of the browser's own cookie: nobody else may choose for it. */
  readonly browser: string;
}

/** What is a provider's own in signing people in; everything else is done by `authorize` and `logout`. */
export interface SigninProvider {
  readonly name: ProviderName;
  readonly theme: Theme;
  readonly now: Clock;
  readonly logins: Logins;
  readonly pending: Expiring<Pending>;
  readonly pushed: Expiring<{ readonly clientId: string; readonly params: FormParams }>;
  /** What references to pushed requests start with; absent = requests cannot be pushed. */
  readonly pushedPrefix: string | undefined;
  /** Request objects by value (RFC 9101): read, or ignored like any unknown parameter. */
  readonly requestObjects: "read" | "ignored";
  readonly signing: Signing;
  /** What a person is called in tokens for a client. */
  subject(person: Person, clientId: string): string;
  /** Where its cookies hold: issuers at other paths of the same origin have sessions of their own. */
  readonly cookiePath: string;
  issuer(visit: Visit): string;
  /** Where the page's form goes. */
  signinPath(visit: Visit): string;
  findClient(id: string, visit: Visit): SigninClient | undefined;
  /** Judges what the provider has rules for: scope, acr_values, PKCE. Throws ProtocolError, which is redirected. */
  judge(request: AuthorizationRequest): void;
  /** Whether the person may sign in to this client in this way; the refusal is shown on the page, or redirected. */
  refuses(person: Person, request: AuthorizationRequest): ProtocolError | undefined;
  /** Who asks, as the page names it; absent = the client's own name. */
  asker?(request: AuthorizationRequest): string;
  /** The level that the answer tells of, where requests choose among levels that everybody reaches. */
  level?(request: AuthorizationRequest): string;
  /** Where a refused person is told: at the client, or on a page of the provider's own. */
  readonly refusedOn: "client" | "page";
  choices(request: AuthorizationRequest): readonly Choice[];
  /** The person behind a persona's id; undefined when there is none. */
  persona(id: string, visit: Visit): Person | "cancels" | undefined;
  /** The person that was typed in; a text says what is wrong with it. */
  typed(form: FormParams, visit: Visit): Person | string;
  /** Is told who has signed in, claims as they were edited. */
  signedIn(person: Person): void;
  /** Life of a session: from now without use, and at most, in seconds. */
  readonly sessionSeconds: { readonly idle: number; readonly longest: number };
  /** How long a login can be refreshed, in seconds. */
  refreshSeconds(client: SigninClient): number;
  /** Members of the authorization response beside code and state (RFC 9207). */
  responseMembers(request: AuthorizationRequest, session: Session | undefined): Record<string, string>;
  /** A refusal in the provider's own words, for the client at its redirect URI. */
  inOwnWords(error: ProtocolError): { readonly error: string; readonly error_description: string };
  /** A refusal that cannot be sent to the client, as the provider words it. */
  unredirectable(
    reason: "unknown_client" | "redirect_uri" | "other",
    detail: string,
    visit: Visit,
  ): ProtocolError;
}
