import type { FormParams, KeySet } from "@portvakt/oauth";

/** The ways in which a client can authenticate at the token endpoint (RFC 6749 section 2.3, RFC 7523 section 2.2). */
export const clientAuthMethods = {
  private_key_jwt: { registered: true },
  client_secret_basic: { registered: true },
  client_secret_post: { registered: true },
  none: { registered: true },
} as const;
export type ClientAuthMethod = keyof typeof clientAuthMethods;

/** What the pipeline must know of a client; servers add what their grants need. */
export interface RegisteredClient {
  readonly id: string;
  readonly authMethods: readonly ClientAuthMethod[];
  /** The client's public keys, for private_key_jwt. */
  readonly keys?: KeySet;
  /** Compares a presented secret in constant time, for the two secret methods. */
  readonly secretMatches?: (secret: string) => boolean;
}

/** A token request after it was parsed once; nothing below it sees the raw form. */
export interface TokenRequest {
  readonly params: FormParams;
  readonly headers: Headers;
  readonly method: string;
  readonly url: string;
  readonly grantType: string;
}

/** What a grant wants to know from the access policy before anything is issued. */
export interface PolicyQuestion {
  /** The application that asks for the token. */
  readonly actor: string;
  /** The application that would receive it. */
  readonly target: string;
  readonly grant: string;
  readonly subject?: Record<string, unknown>;
  readonly scope?: readonly string[];
}

/** The access policy's answer; structurally the Decision of packages/policy. */
export interface PolicyAnswer {
  readonly id: string;
  readonly outcome: "allow" | "deny";
}

/** Members of a successful token response (RFC 6749 section 5.1). */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: string;
  readonly expires_in?: number;
  readonly [member: string]: unknown;
}

/** What a grant allows, were the policy to agree. Nothing is signed before `issue` is called. */
export interface Granted<D extends PolicyAnswer = PolicyAnswer> {
  readonly question?: PolicyQuestion;
  /** Signs and answers. `decision` is the allowing answer to `question`, absent when none was asked. */
  issue(decision: D | undefined): Promise<TokenAnswer>;
}

export interface GrantContext<C extends RegisteredClient> {
  readonly request: TokenRequest;
  readonly client: C;
  /** Seconds since the epoch, read once per request. */
  readonly now: number;
}

/** One grant: only what is its own. Everything every grant needs is done by the pipeline. */
export interface Grant<C extends RegisteredClient = RegisteredClient, D extends PolicyAnswer = PolicyAnswer> {
  readonly grantType: string;
  /** Parameters without which the request is refused. */
  readonly required: readonly string[];
  /** Parameters that the grant also reads; all others are ignored (RFC 6749 section 3.2). */
  readonly optional: readonly string[];
  /** Those that may be sent more than once (RFC 8693 section 2.1: audience, resource). */
  readonly repeatable?: readonly string[];
  /** Judges the request; throws ProtocolError. */
  authorize(context: GrantContext<C>): Promise<Granted<D>>;
}

/** Tells who the client is, or throws ProtocolError (invalid_client). A server may bring its own. */
export type AuthenticateClient<C extends RegisteredClient> = (request: TokenRequest) => Promise<C>;

/**
 * Remembers `key` until `expiresAt` (seconds since the epoch), in the share of memory of `by`, who was authenticated by it or before;
 * false when it is remembered already. *Throws* ProtocolError when there is no room.
 */
export type ClaimOnce = (key: string, expiresAt: number, by: string) => boolean | Promise<boolean>;

/** One line of the audit log: exactly one per token request, whatever became of it. */
export interface AuditEvent<D extends PolicyAnswer = PolicyAnswer> {
  readonly at: number;
  /** How long the request took so far, seconds. */
  readonly seconds: number;
  readonly outcome: "issued" | "refused" | "failed";
  readonly grantType: string | undefined;
  readonly client: string | undefined;
  readonly question: PolicyQuestion | undefined;
  readonly decision: D | undefined;
  /** The error code that was sent, and why; never a token. */
  readonly error: string | undefined;
  readonly description: string | undefined;
  /** What was thrown, for the log; not for the wire. */
  readonly cause: unknown;
  readonly headers: Headers;
}
