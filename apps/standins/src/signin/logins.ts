import { randomToken, type Clock } from "@portvakt/oauth";
import { expiring, type Expiring } from "../expiring.ts";
import type { ClaimsRequest } from "./claims-request.ts";

/** A person as a provider's tokens will speak of them: a persona's, or typed in on the page. */
export interface Person {
  /** The persona's id, or what was typed. */
  readonly id: string;
  readonly name: string;
  /** The level reached, where the provider has levels. */
  readonly acr?: string;
  readonly amr?: string;
  readonly locale?: string;
  /** The claims that this person brings into tokens, edited or not. */
  readonly claims: Readonly<Record<string, unknown>>;
  /** Every group, for providers with groups. */
  readonly groups?: readonly string[];
  readonly tenant?: string;
}

/** The provider's own session with a browser (single sign-on). */
export interface Session {
  readonly id: string;
  /** What clients know the session by. */
  readonly sid: string;
  readonly person: Person;
  /** When the person last really signed in, seconds since the epoch. */
  readonly authTime: number;
  /** The session ends here whatever happens. */
  readonly endsAt: number;
  /** Clients that were given tokens in this session: they hear of its end. */
  readonly clients: Set<string>;
}

/** What one client was granted by one sign-in; codes and refresh tokens lead here. */
export interface Login {
  readonly id: string;
  readonly clientId: string;
  readonly person: Person;
  readonly scope: readonly string[];
  readonly resource: readonly string[];
  readonly nonce: string | undefined;
  /** What was wished of single claims, where anything was. */
  readonly claims?: ClaimsRequest;
  /** The level that the answer tells of, where the request chose one. */
  readonly acr?: string;
  readonly authTime: number;
  readonly sid: string;
  /** When refresh ends, seconds since the epoch. */
  readonly endsAt: number;
}

interface Code {
  readonly login: Login;
  readonly redirectUri: string;
  readonly challenge: string | undefined;
  /** Seconds since the epoch. */
  readonly expiresAt: number;
  spent: boolean;
}

interface Refresh {
  readonly login: Login;
  spent: boolean;
}

/** Sessions, codes and refresh tokens of one stand-in. Nothing is kept over a restart. */
export interface Logins {
  readonly sessions: Expiring<Session>;
  readonly codes: Expiring<Code>;
  readonly refreshes: Expiring<Refresh>;
  /** Ids of logins, and sids of sessions, whose tokens are no longer good. */
  readonly revoked: Expiring<true>;
  newCode(login: Login, redirectUri: string, challenge: string | undefined): string;
  newRefresh(login: Login): string;
  revoke(login: Login): void;
}

export interface Lifetimes {
  readonly codeSeconds: number;
}

const revokedForSeconds = 86_400;
/** How long a code is recognised, good or not. */
const rememberedSeconds = 3600;

/** Makes the memory of a stand-in that signs people in. */
export function createLogins(now: Clock, lifetimes: Lifetimes): Logins {
  const codes = expiring<Code>(now);
  const refreshes = expiring<Refresh>(now);
  const revoked = expiring<true>(now, 50_000);
  return {
    sessions: expiring<Session>(now),
    codes,
    refreshes,
    revoked,
    newCode(login, redirectUri, challenge) {
      const code = randomToken(32);
      // Kept longer than it is good for, so that a second use is recognised (RFC 6749 section 4.1.2).
      const expiresAt = now() + lifetimes.codeSeconds;
      codes.set(code, { login, redirectUri, challenge, expiresAt, spent: false }, rememberedSeconds);
      return code;
    },
    newRefresh(login) {
      const token = randomToken(48);
      refreshes.set(token, { login, spent: false }, Math.max(1, login.endsAt - now()));
      return token;
    },
    revoke: (login) => revoked.set(login.id, true, revokedForSeconds),
  };
}
