/** What signing in gave, as the store keeps it (sealed) and the proxy uses it. Times are seconds since the epoch. */
export interface Session {
  readonly id: string;
  /** Name of the provider that signed the user in. */
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  /** The provider's name for its own session, where it told one. */
  readonly providerSession: string | undefined;
  /** Whether that name is the ID token's `sid`, by which logout tokens call the session. */
  readonly hasSid: boolean;
  readonly level: string | undefined;
  readonly methods: readonly string[];
  readonly authenticatedAt: number | undefined;
  readonly nonce: string;
  readonly createdAt: number;
  /** Absolute end: nothing extends it. */
  readonly endsAt: number;
  /** Without a request for this long it is inactive, seconds; undefined = never. Goes with the session, so that all who share it agree. */
  readonly inactivitySeconds: number | undefined;
  readonly tokens: Tokens;
}

/** What the provider's answer says of a session; the store adds its name and its times. */
export type SignedIn = Omit<Session, "id" | "createdAt" | "endsAt" | "inactivitySeconds">;

export interface Tokens {
  readonly accessToken: string;
  readonly idToken: string;
  readonly refreshToken: string | undefined;
  /** When the access token expires; undefined when the provider did not say. */
  readonly expiresAt: number | undefined;
  /** When these tokens were issued to us. */
  readonly refreshedAt: number;
}

/** Whose sessions: one session at the provider; a user there with all of them, or with those that have no `sid`. */
export type ProviderUser =
  | { readonly issuer: string; readonly providerSession: string }
  | { readonly issuer: string; readonly subject: string; readonly without?: "sid" };

/** One text for each of them, and no other's. */
export function nameOf(of: ProviderUser): string {
  if ("providerSession" in of) return JSON.stringify(["sid", of.issuer, of.providerSession]);
  return JSON.stringify([of.without === undefined ? "sub" : "sub without sid", of.issuer, of.subject]);
}

/** By which names a provider may end a session. */
export function providerUsersOf({ issuer, providerSession, subject, hasSid }: Session): ProviderUser[] {
  return [
    ...(providerSession === undefined ? [] : [{ issuer, providerSession }]),
    { issuer, subject },
    ...(hasSid ? [] : [{ issuer, subject, without: "sid" as const }]),
  ];
}

/** What a session's cookie holds: the only copy of the key that opens the session in the store. */
export interface Ticket {
  readonly id: string;
  readonly key: Uint8Array;
}

/** Rules of time for new sessions, seconds. */
export interface Lifetimes {
  readonly maxSeconds: number;
  readonly inactivitySeconds: number | undefined;
}

/** How long before its expiry an access token is refreshed. */
const refreshLeewaySeconds = 30;
const longestCooldownSeconds = 60;

/** The least time between two refreshes: a minute, or half the token's lifetime for short ones. */
export function cooldownOf(tokens: Tokens): number {
  if (tokens.expiresAt === undefined) return longestCooldownSeconds;
  const lifetime = Math.max(0, tokens.expiresAt - tokens.refreshedAt);
  return lifetime <= 2 * longestCooldownSeconds ? lifetime / 2 : longestCooldownSeconds;
}

/** When the proxy refreshes on its own account; undefined when it never will. */
export function nextRefreshAt(tokens: Tokens): number | undefined {
  if (tokens.refreshToken === undefined || tokens.expiresAt === undefined) return undefined;
  return Math.max(tokens.expiresAt - refreshLeewaySeconds, tokens.refreshedAt + cooldownOf(tokens));
}

/** Tokens from further in the future than this were timed by a wrong clock. */
const clockStepSeconds = 60;

/**
 * Whether a clock that was ahead wrote when these tokens were issued and expire: nobody knows then how long they last. Such
 * a session is refreshed.
 */
export function isMistimed(tokens: Tokens, now: number): boolean {
  return tokens.refreshToken !== undefined && tokens.refreshedAt > now + clockStepSeconds;
}

/** Whether the access token must not be sent any more. */
export function isExpired(tokens: Tokens, now: number): boolean {
  return tokens.expiresAt !== undefined && (now >= tokens.expiresAt || isMistimed(tokens, now));
}

const utf8 = new TextEncoder();

/** The session as bytes for the store. */
export function encodeSession(session: Session): Uint8Array {
  return utf8.encode(JSON.stringify(session));
}

/** Reads what `encodeSession` wrote. Does not check its members: it was authenticated when it was unsealed. */
export function decodeSession(bytes: Uint8Array): Session {
  return JSON.parse(new TextDecoder().decode(bytes)) as Session;
}
