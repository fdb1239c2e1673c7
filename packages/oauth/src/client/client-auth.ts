import type { Clock } from "../clock.ts";
import type { Signer } from "../jwt/keys.ts";
import { clientAssertionType } from "../names.ts";
import { randomToken } from "../random.ts";

/** Adds a client's authentication to a request that is about to be sent. Called anew for every attempt. */
export type ClientAuth = (request: {
  readonly params: URLSearchParams;
  readonly headers: Headers;
}) => Promise<void>;

export interface PrivateKeyJwtOptions {
  readonly clientId: string;
  readonly signer: Signer;
  /** The authorization server's issuer, as the one audience (RFC 7523bis). */
  readonly audience: string;
  readonly now: Clock;
  /** Default 30; at most 60. */
  readonly lifetimeSeconds?: number;
  /** Header `typ`: `JWT` (default), or `client-authentication+jwt` for servers that follow RFC 7523bis. */
  readonly typ?: string;
}

/** `private_key_jwt` (RFC 7523 section 2.2): a new assertion with a new `jti` for every request. */
export function privateKeyJwt(options: PrivateKeyJwtOptions): ClientAuth {
  const { clientId, signer, audience, now, lifetimeSeconds = 30, typ = "JWT" } = options;
  if (!(lifetimeSeconds > 0 && lifetimeSeconds <= 60)) throw new RangeError("lifetimeSeconds is at most 60");
  return async ({ params }) => {
    const iat = Math.floor(now());
    const claims = { iss: clientId, sub: clientId, aud: audience, iat, nbf: iat, exp: iat + lifetimeSeconds };
    params.set("client_id", clientId);
    params.set("client_assertion_type", clientAssertionType);
    params.set("client_assertion", await signer.sign({ ...claims, jti: randomToken(16) }, { typ }));
  };
}

/** `client_secret_basic` (RFC 6749 section 2.3.1): both parts form-encoded before they are joined. */
export function clientSecretBasic(options: { clientId: string; secret: string }): ClientAuth {
  const credentials = `${formEncode(options.clientId)}:${formEncode(options.secret)}`;
  return async ({ headers }) => {
    headers.set("authorization", `Basic ${btoa(credentials)}`);
  };
}

/** `client_secret_post` (RFC 6749 section 2.3.1). */
export function clientSecretPost(options: { clientId: string; secret: string }): ClientAuth {
  return async ({ params }) => {
    params.set("client_id", options.clientId);
    params.set("client_secret", options.secret);
  };
}

/** A public client: only names itself. */
export function publicClient(options: { clientId: string }): ClientAuth {
  return async ({ params }) => {
    params.set("client_id", options.clientId);
  };
}

/** An assertion that somebody else made, such as a projected workload token, read anew for every request. */
export function clientAssertion(options: { clientId?: string; read: () => Promise<string> }): ClientAuth {
  return async ({ params }) => {
    if (options.clientId !== undefined) params.set("client_id", options.clientId);
    params.set("client_assertion_type", clientAssertionType);
    params.set("client_assertion", await options.read());
  };
}

function formEncode(text: string): string {
  return new URLSearchParams([["", text]]).toString().slice(1);
}
