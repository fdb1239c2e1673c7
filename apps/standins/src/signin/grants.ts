import { grantTypes, ProtocolError, verifyPkce, type FormParams } from "@portvakt/oauth";
import type {
  Grant,
  Granted,
  PolicyAnswer,
  PolicyQuestion,
  RegisteredClient,
  TokenAnswer,
} from "@portvakt/issuer";
import type { Login, Logins } from "./logins.ts";

/** What is asked for now, of what the login was granted. */
export interface Asked {
  readonly scope: readonly string[] | undefined;
  readonly resource: readonly string[];
  readonly params: FormParams;
  readonly headers: Headers;
}

export interface SigninGrantOptions<C extends RegisteredClient, D extends PolicyAnswer = PolicyAnswer> {
  readonly logins: Logins;
  /** Makes the tokens of the provider. `refresh` makes the next refresh token, where the provider gives one. */
  readonly answer: (
    login: Login,
    client: C,
    asked: Asked,
    refresh: () => string,
    decision: D | undefined,
  ) => Promise<TokenAnswer>;
  /** What the access policy must allow, where the tokens are for another application. */
  readonly question?: (login: Login, client: C, asked: Asked, grant: string) => PolicyQuestion | undefined;
  /** Further parameters that the provider reads. */
  readonly alsoReads?: readonly string[];
  /** Whether a refresh token is good for one use only (reuse then ends the login). */
  readonly refreshOnce: (client: C) => boolean;
  /** Whether a refresh may ask for what was granted only (RFC 6749 section 6), or for other resources too. */
  readonly scopeStays: boolean;
  /** Whether the login's tokens end when the browser's session at the provider does. */
  readonly endsWithSession: (login: Login) => boolean;
  /** The provider's own words for the refusals below; absent = plain ones. */
  readonly refuse?: (reason: GrantRefusal, description: string) => ProtocolError;
}

/** Why a code or a refresh token is refused. */
export type GrantRefusal =
  | "unknown_code"
  | "spent_code"
  | "redirect_mismatch"
  | "pkce"
  | "unknown_refresh"
  | "spent_refresh";

/** The authorization code grant (RFC 6749 section 4.1.3, RFC 7636 section 4.6). */
export function authorizationCodeGrant<C extends RegisteredClient, D extends PolicyAnswer>(
  options: SigninGrantOptions<C, D>,
): Grant<C, D> {
  const refuse = options.refuse ?? invalidGrant;
  return {
    grantType: grantTypes.authorizationCode,
    required: ["code", "redirect_uri"],
    optional: ["code_verifier", "scope", "resource", ...(options.alsoReads ?? [])],
    repeatable: ["resource"],
    async authorize({ request, client, now }) {
      const found = options.logins.codes.get(request.params.one("code") ?? "");
      const expired = found !== undefined && !found.spent && found.expiresAt <= now;
      if (found === undefined || expired || found.login.clientId !== client.id)
        throw refuse("unknown_code", "the code is unknown, has expired, or belongs to another client");
      if (found.spent) {
        // RFC 6749 section 4.1.2: what was issued for the first use is revoked too.
        options.logins.revoke(found.login);
        throw refuse("spent_code", "the code was used before");
      }
      // Any attempt uses the code up, so that a verifier cannot be guessed.
      found.spent = true;
      if (request.params.one("redirect_uri") !== found.redirectUri)
        throw refuse("redirect_mismatch", "redirect_uri is not the one of the authorization request");
      await checkVerifier(request.params.one("code_verifier"), found.challenge, refuse);
      const asked: Asked = {
        scope: undefined,
        resource: request.params.all("resource"),
        params: request.params,
        headers: request.headers,
      };
      return granted(
        options,
        { login: found.login, client, asked, grant: grantTypes.authorizationCode },
        () => options.logins.newRefresh(found.login),
      );
    },
  };
}

/** The refresh token grant (RFC 6749 section 6) with rotation and reuse detection (RFC 9700 section 4.14.2). */
export function refreshTokenGrant<C extends RegisteredClient, D extends PolicyAnswer>(
  options: SigninGrantOptions<C, D>,
): Grant<C, D> {
  const refuse = options.refuse ?? invalidGrant;
  return {
    grantType: grantTypes.refreshToken,
    required: ["refresh_token"],
    optional: ["scope", "resource", ...(options.alsoReads ?? [])],
    repeatable: ["resource"],
    async authorize({ request, client }) {
      const presented = request.params.one("refresh_token") ?? "";
      const found = options.logins.refreshes.get(presented);
      const { revoked } = options.logins;
      if (
        found === undefined ||
        found.login.clientId !== client.id ||
        revoked.get(found.login.id) === true ||
        (revoked.get(found.login.sid) === true && options.endsWithSession(found.login))
      )
        throw refuse("unknown_refresh", "the refresh token is unknown, has expired, or was revoked");
      if (found.spent) {
        options.logins.revoke(found.login);
        throw refuse("spent_refresh", "the refresh token was used before; the login is over");
      }
      const asked = {
        scope: request.params.one("scope")?.split(" "),
        resource: request.params.all("resource"),
        params: request.params,
        headers: request.headers,
      };
      const wider = asked.scope?.find((scope) => !found.login.scope.includes(scope));
      if (wider !== undefined && options.scopeStays)
        throw new ProtocolError("invalid_scope", "scope is wider than what was granted");
      const rotate = options.refreshOnce(client);
      // Spent here and not in `issue`: two requests at once must not both succeed.
      found.spent = rotate;
      return granted(options, { login: found.login, client, asked, grant: grantTypes.refreshToken }, () =>
        rotate ? options.logins.newRefresh(found.login) : presented,
      );
    },
  };
}

function granted<C extends RegisteredClient, D extends PolicyAnswer>(
  options: SigninGrantOptions<C, D>,
  call: { login: Login; client: C; asked: Asked; grant: string },
  refresh: () => string,
): Granted<D> {
  const { login, client, asked, grant } = call;
  const question = options.question?.(login, client, asked, grant);
  return {
    ...(question === undefined ? {} : { question }),
    issue: (decision) => options.answer(login, client, asked, refresh, decision),
  };
}

async function checkVerifier(
  verifier: string | undefined,
  challenge: string | undefined,
  refuse: (reason: GrantRefusal, description: string) => ProtocolError,
): Promise<void> {
  // A verifier without a challenge is a downgrade (RFC 9700 section 2.1.1).
  if (challenge === undefined && verifier === undefined) return;
  const good = challenge !== undefined && verifier !== undefined && (await verifyPkce(verifier, challenge));
  if (!good) throw refuse("pkce", "code_verifier does not match the code_challenge");
}

function invalidGrant(_reason: GrantRefusal, description: string): ProtocolError {
  return new ProtocolError("invalid_grant", description);
}
