// An OpenID provider for tests, built on jose alone: it shares no code with what it tests.
import { createHash, randomUUID } from "node:crypto";
import http from "node:http";
import type { AddressInfo } from "node:net";
import {
  calculateJwkThumbprint,
  createLocalJWKSet,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type JWK,
  type JWTPayload,
} from "jose";

export interface Knobs {
  accessTokenSeconds: number;
  par: boolean;
  announceIss: boolean;
  /** What the authorization response carries as `iss`; undefined = the right one, "" = none. */
  iss: string | undefined;
  refreshTokens: boolean;
  /** Whether a refresh answers with a new refresh token. */
  rotate: boolean;
  acr: string;
  amr: string[];
  sid: string | undefined;
  sub: string;
  endSession: boolean;
  revocation: boolean;
  /** What the authorization response carries as `session_state`. */
  sessionState: string | undefined;
  /** How many pushed requests are answered with 500. */
  pushTroubles: number;
  /** Holds the revocation endpoint's answer back. */
  beforeRevoked: () => Promise<void>;
  /** Changes the ID token's claims just before it is signed. */
  idClaims: (claims: JWTPayload) => JWTPayload;
  /** Signs the ID token instead. */
  signIdToken: ((claims: JWTPayload) => string) | undefined;
  /** Stand in the key set behind the provider's own. */
  extraKeys: JWK[];
  /** Whether published keys say what algorithm they are for. */
  keysNameAlgorithm: boolean;
  /** Answers the token endpoint instead; undefined = as usual. */
  tokenTrouble: ((form: URLSearchParams) => { status: number; body: unknown } | undefined) | undefined;
  /** What the authorization endpoint reports instead of a code. */
  authorizeError: string | undefined;
  tokenDelayMs: number;
  acrSupported: string[];
  metadata: Record<string, unknown>;
  /** The audience that client assertions must have; undefined = the issuer. */
  assertionAudience: string | undefined;
}

interface Grant {
  readonly params: URLSearchParams;
  readonly redirectUri: string;
}

export interface ProviderDouble {
  readonly issuer: string;
  readonly knobs: Knobs;
  readonly wellKnownUrl: string;
  readonly requests: { path: string; form: URLSearchParams; headers: http.IncomingHttpHeaders }[];
  count(path: string, grantType?: string): number;
  /** Resolves when a path was asked for this often. */
  arrived(path: string, times: number): Promise<void>;
  sign(claims: JWTPayload, options?: { typ?: string; alg?: string }): Promise<string>;
  rotateKey(): Promise<void>;
  close(): Promise<void>;
}

export interface DoubleOptions {
  readonly clientId: string;
  readonly clientJwk?: JWK;
  readonly clientSecret?: string;
  readonly now: () => number;
  readonly knobs?: Partial<Knobs>;
  readonly port?: number;
}

/** Starts a provider on a free port. */
export async function startProvider(options: DoubleOptions): Promise<ProviderDouble> {
  const { now } = options;
  const knobs: Knobs = {
    accessTokenSeconds: 300,
    par: true,
    announceIss: true,
    iss: undefined,
    refreshTokens: true,
    rotate: true,
    acr: "idporten-loa-high",
    amr: ["BankID"],
    sid: "sid-1",
    sub: "user-1",
    endSession: true,
    revocation: true,
    sessionState: undefined,
    pushTroubles: 0,
    beforeRevoked: async () => {},
    idClaims: (claims) => claims,
    signIdToken: undefined,
    extraKeys: [],
    keysNameAlgorithm: true,
    tokenTrouble: undefined,
    authorizeError: undefined,
    tokenDelayMs: 0,
    acrSupported: ["idporten-loa-substantial", "idporten-loa-high"],
    metadata: {},
    assertionAudience: undefined,
    ...options.knobs,
  };
  const requests: ProviderDouble["requests"] = [];
  const waiters = new Set<() => void>();
  const count: ProviderDouble["count"] = (path, grantType) =>
    requests.filter(
      (one) => one.path === path && (grantType === undefined || one.form.get("grant_type") === grantType),
    ).length;
  const pushed = new Map<string, URLSearchParams>();
  const codes = new Map<string, Grant>();
  const refreshes = new Map<string, Grant>();
  let keys = [await newKey()];
  let issuer = "";
  const active = () => keys.at(-1)!;
  const published = ({ alg, ...jwk }: JWK): JWK => (knobs.keysNameAlgorithm ? { ...jwk, alg: alg! } : jwk);

  const sign = (claims: JWTPayload, o: { typ?: string; alg?: string } = {}): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: o.alg ?? "RS256", kid: active().jwk.kid!, typ: o.typ ?? "JWT" })
      .sign(active().privateKey);

  async function authenticate(form: URLSearchParams, headers: http.IncomingHttpHeaders): Promise<boolean> {
    if (options.clientJwk !== undefined) {
      const { d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...publicJwk } = options.clientJwk;
      const verified = await jwtVerify(
        form.get("client_assertion") ?? "",
        createLocalJWKSet({ keys: [publicJwk as JWK] }),
        {
          issuer: options.clientId,
          subject: options.clientId,
          audience: knobs.assertionAudience ?? issuer,
          currentDate: new Date(now() * 1000),
          requiredClaims: ["jti", "exp", "iat"],
        },
      ).catch(() => undefined);
      if (verified === undefined || typeof verified.payload.aud !== "string") return false;
      const { jti = "", exp = 0, iat = 0 } = verified.payload;
      if (seenJtis.has(jti) || exp - iat > 60) return false;
      seenJtis.add(jti);
      return true;
    }
    const basic = `Basic ${Buffer.from(`${options.clientId}:${options.clientSecret}`).toString("base64")}`;
    return headers.authorization === basic;
  }
  const seenJtis = new Set<string>();

  async function tokensFor(grant: Grant, first: boolean): Promise<Record<string, unknown>> {
    const at = Math.floor(now());
    const accessToken = await sign({
      iss: issuer,
      sub: knobs.sub,
      aud: "app",
      iat: at,
      exp: at + knobs.accessTokenSeconds,
      jti: randomUUID(),
      acr: knobs.acr,
    });
    const claims: JWTPayload = {
      iss: issuer,
      sub: knobs.sub,
      aud: options.clientId,
      iat: at,
      exp: at + 120,
      auth_time: at,
      acr: knobs.acr,
      amr: knobs.amr,
      at_hash: createHash("sha256").update(accessToken).digest().subarray(0, 16).toString("base64url"),
      ...(knobs.sid === undefined ? {} : { sid: knobs.sid }),
      ...(first ? { nonce: grant.params.get("nonce") ?? "" } : {}),
    };
    if (!first) delete claims["auth_time"];
    const answer: Record<string, unknown> = {
      access_token: accessToken,
      token_type: "Bearer",
      expires_in: knobs.accessTokenSeconds,
      id_token: knobs.signIdToken?.(knobs.idClaims(claims)) ?? (await sign(knobs.idClaims(claims))),
    };
    if (knobs.refreshTokens && (first || knobs.rotate)) {
      const refreshToken = randomUUID();
      refreshes.set(refreshToken, grant);
      answer["refresh_token"] = refreshToken;
    }
    return answer;
  }

  async function token(form: URLSearchParams): Promise<{ status: number; body: unknown }> {
    if (knobs.tokenDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, knobs.tokenDelayMs));
    const trouble = knobs.tokenTrouble?.(form);
    if (trouble !== undefined) return trouble;
    if (form.get("grant_type") === "refresh_token") {
      const grant = refreshes.get(form.get("refresh_token") ?? "");
      if (grant === undefined) return { status: 400, body: { error: "invalid_grant" } };
      if (knobs.rotate) refreshes.delete(form.get("refresh_token") ?? "");
      return { status: 200, body: await tokensFor(grant, false) };
    }
    const grant = codes.get(form.get("code") ?? "");
    codes.delete(form.get("code") ?? "");
    const challenge = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (
      grant === undefined ||
      grant.params.get("code_challenge") !== challenge ||
      grant.redirectUri !== form.get("redirect_uri")
    )
      return { status: 400, body: { error: "invalid_grant" } };
    return { status: 200, body: await tokensFor(grant, true) };
  }

  function authorize(query: URLSearchParams): { status: number; location?: string } {
    const params = query.has("request_uri") ? pushed.get(query.get("request_uri") ?? "") : query;
    if (
      params === undefined ||
      (knobs.par && query.size !== 2) ||
      params.get("client_id") !== options.clientId
    )
      return { status: 400 };
    if (params.get("code_challenge_method") !== "S256" || !params.get("nonce") || !params.get("state"))
      return { status: 400 };
    const back = new URL(params.get("redirect_uri") ?? "");
    back.searchParams.set("state", params.get("state") ?? "");
    const iss = knobs.iss ?? (knobs.announceIss ? issuer : "");
    if (iss !== "") back.searchParams.set("iss", iss);
    if (knobs.sessionState !== undefined) back.searchParams.set("session_state", knobs.sessionState);
    if (knobs.authorizeError === undefined) {
      const code = randomUUID();
      codes.set(code, { params, redirectUri: params.get("redirect_uri") ?? "" });
      back.searchParams.set("code", code);
    } else back.searchParams.set("error", knobs.authorizeError);
    return { status: 302, location: back.href };
  }

  const metadata = (): Record<string, unknown> => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    acr_values_supported: knobs.acrSupported,
    ui_locales_supported: ["nb", "nn", "en", "se"],
    authorization_response_iss_parameter_supported: knobs.announceIss,
    id_token_signing_alg_values_supported: ["RS256"],
    ...(knobs.par ? { pushed_authorization_request_endpoint: `${issuer}/par` } : {}),
    ...(knobs.endSession ? { end_session_endpoint: `${issuer}/logout` } : {}),
    ...(knobs.revocation ? { revocation_endpoint: `${issuer}/revoke` } : {}),
    ...knobs.metadata,
  });

  const server = http.createServer((request, response) => {
    void (async () => {
      const url = new URL(request.url ?? "/", issuer);
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const form = new URLSearchParams(body);
      requests.push({ path: url.pathname, form, headers: request.headers });
      for (const waiting of waiters) waiting();
      const send = (status: number, value?: unknown, headers: http.OutgoingHttpHeaders = {}): void => {
        response.writeHead(status, { "content-type": "application/json", ...headers });
        response.end(value === undefined ? undefined : JSON.stringify(value));
      };
      if (url.pathname === "/.well-known/openid-configuration") return send(200, metadata());
      if (url.pathname === "/jwks")
        return send(200, { keys: [...keys.map(({ jwk }) => published(jwk)), ...knobs.extraKeys] });
      if (url.pathname === "/authorize") {
        const { status, location } = authorize(url.searchParams);
        return send(status, undefined, location === undefined ? {} : { location });
      }
      if (url.pathname === "/logout") {
        const back = url.searchParams.get("post_logout_redirect_uri") ?? "";
        return send(302, undefined, { location: `${back}?state=${url.searchParams.get("state") ?? ""}` });
      }
      if (!(await authenticate(form, request.headers))) return send(401, { error: "invalid_client" });
      if (url.pathname === "/par") {
        if (knobs.pushTroubles-- > 0) return send(500, { error: "server_error" });
        const uri = `urn:test:${randomUUID()}`;
        pushed.set(uri, form);
        return send(201, { request_uri: uri, expires_in: 60 });
      }
      if (url.pathname === "/revoke") {
        await knobs.beforeRevoked();
        return send(200);
      }
      const answer = await token(form);
      return send(answer.status, answer.body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    knobs,
    wellKnownUrl: `${issuer}/.well-known/openid-configuration`,
    requests,
    count,
    arrived: (path, times) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (count(path) < times) return;
          waiters.delete(look);
          resolve();
        };
        waiters.add(look);
        look();
      }),
    sign,
    rotateKey: async () => {
      keys = [...keys, await newKey()];
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function newKey(): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair("RS256", { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: "RS256", use: "sig" } };
}
