import type {
  anyAudience,
  ClientAuth,
  Clock,
  JwtClaims,
  KeySet,
  ReportedError,
  Signer,
  TokenResponse,
  VerifiedToken,
  VerifyRules,
} from "@portvakt/oauth";

/** This application as the provider knows it: what every request builder gets. Endpoints are already discovered. */
export interface ProviderClient {
  readonly clientId: string;
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly auth: ClientAuth;
  /** Signs JWT authorization grants (RFC 7523 section 2.1). Only the providers that use such grants need it. */
  readonly signer?: Signer;
  readonly now: Clock;
}

/** What an application asks for in its own name. Absent members do not change the token. */
export interface MachineTokenAsk {
  readonly target: string;
  readonly resource?: readonly string[];
  readonly authorizationDetails?: readonly unknown[];
  readonly consumerOrg?: string;
  readonly pid?: string;
}

/** What an application asks for on behalf of a user. */
export interface ExchangeAsk {
  readonly target: string;
  readonly userToken: string;
}

/** Builds one request. Called again for every attempt, so that each one carries an assertion of its own. */
export type BuildRequest<Ask> = (client: ProviderClient, ask: Ask) => Promise<Request>;

/** `token_type` of a token: whoever has it may use it, or only who holds the key that it is bound to (RFC 9449). */
export type TokenKind = "Bearer" | "DPoP";

/** The two halves around one fetch. `judge` throws `ReportedError` (the provider's refusal) or `Fault` (no sense in it). */
export interface ProviderGrant<Ask> {
  readonly build: BuildRequest<Ask>;
  readonly judge: (response: Response, expected?: TokenKind) => Promise<TokenResponse>;
}

/** What introspection of one provider's tokens is told by configuration. */
export interface IntrospectionSettings {
  readonly issuer: string;
  readonly audience: string | readonly string[] | typeof anyAudience;
  readonly keys: KeySet;
}

/** Whom an access token is about: a person, or an application on its own. Guards admit neither where it is unknown. */
export type SubjectKind = "user" | "machine" | "unknown";

/** How a provider's access tokens are recognised. */
export interface ProviderIntrospection {
  readonly rules: (settings: IntrospectionSettings) => VerifyRules;
  /** A sentence when a token that verifies is still not an access token of this provider; undefined when it is one. */
  readonly objection: (token: VerifiedToken) => string | undefined;
  /** Whom a token is about that was found right. */
  readonly kind: (claims: Readonly<JwtClaims>) => SubjectKind;
  /** Whether it also issues by-reference tokens, which only it can judge (RFC 7662). Others are never sent anything. */
  readonly byReference?: true;
}

/** Who has to act for an error to go away. */
export type Owner = "application" | "target" | "user" | "platform" | "provider";

/** An error code of a provider, translated. */
export interface Explanation {
  /** The provider's own code, such as `AADSTS50013` or `MP-200`. */
  readonly code: string;
  readonly hint: string;
  readonly owner: Owner;
  readonly uri?: string;
  /** True when the same request may succeed in a moment although the provider calls it a refusal. */
  readonly passing?: true;
}

/** Looks a provider's refusal up in its table. */
export type Explain = (error: ReportedError, target: string) => Explanation | undefined;

/** What can be seen wrong in a user token before it is sent to the provider. */
export interface SubjectProblem {
  readonly error: "invalid_grant" | "invalid_request";
  readonly description: string;
  readonly hint: string;
}

/** What a look at a user token may compare with. Nothing of it is verified: the provider does that. */
export interface SubjectContext {
  readonly clientId: string;
  readonly issuer: string;
  readonly now: number;
  /** Audiences that other enabled providers use for this application, by issuer. */
  readonly audiences: ReadonlyMap<string, readonly string[]>;
}

/** One row of the table of providers. */
export interface Provider {
  readonly name: string;
  /** The name as people write it. */
  readonly title: string;
  readonly aliases: readonly string[];
  readonly token?: ProviderGrant<MachineTokenAsk>;
  readonly exchange?: ProviderGrant<ExchangeAsk> & {
    readonly look: (userToken: string, context: SubjectContext) => SubjectProblem | undefined;
  };
  readonly introspection: ProviderIntrospection;
  readonly explain: Explain;
}
