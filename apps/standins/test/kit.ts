// Real stand-ins on free ports, and what a client and a browser need to use them.
import { generateKeyPairSync, randomUUID, type KeyObject } from "node:crypto";
import * as client from "oauth4webapi";
import { SignJWT, type JWTPayload } from "jose";
import { startStandins, type RegistrationsInput, type Standins } from "../src/index.ts";

/** One RSA key for every client: finding another for each would be most of the tests' time. */
const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const kid = "client-key-1";
export const clientPublicKey = pair.publicKey;
export const clientJwks = {
  keys: [{ ...pair.publicKey.export({ format: "jwk" }), kty: "RSA", kid, alg: "RS256", use: "sig" }],
};

export const redirectUri = "https://app.example/oauth2/callback";
export const ids = {
  frontend: "11111111-1111-4111-8111-111111111111",
  api: "22222222-2222-4222-8222-222222222222",
  snoop: "33333333-3333-4333-8333-333333333333",
  open: "44444444-4444-4444-8444-444444444444",
  foreign: "55555555-5555-4555-8555-555555555555",
} as const;
export const caseWorkers = "8522166a-0cfd-484c-ba3c-2b8ed285eafb";

const rule = (application: string, roles: string[] = [], scopes: string[] = []) => ({
  application,
  namespace: "benefits",
  cluster: "local",
  roles,
  scopes,
});

export const registrations: RegistrationsInput = {
  idporten: {
    clients: [
      {
        client_id: "portal",
        jwks: clientJwks,
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: ["https://app.example/signed-out"],
        resource: ["https://platform.example", "https://other.example"],
        scopes: ["openid", "profile", "agency:letters"],
      },
      { client_id: "by-secret", client_secret: "secret-of-by-secret", redirect_uris: [redirectUri] },
      {
        client_id: "by-reference",
        client_secret: "secret-of-by-reference",
        redirect_uris: [redirectUri],
        access_token_by_reference: true,
        frontchannel_logout_session_required: false,
      },
      {
        client_id: "keeps-refresh",
        client_secret: "secret-of-keeps",
        redirect_uris: [redirectUri],
        refresh_token_usage: "REUSE",
        isolated_sso: true,
      },
      { client_id: "public", token_endpoint_auth_method: "none", redirect_uris: [redirectUri] },
    ],
  },
  entra: {
    applications: [
      {
        client_id: ids.frontend,
        name: "local:benefits:caseworker",
        jwks: clientJwks,
        client_secret: "secret-of-frontend",
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: ["https://app.example/signed-out"],
        frontchannel_logout_uri: "https://app.example/oauth2/logout/frontchannel",
        groups: [caseWorkers],
      },
      {
        client_id: ids.api,
        name: "local:benefits:case-api",
        identifier_uris: ["api://custom-name"],
        client_secret: "secret-of-case-api",
        groups: [caseWorkers],
        inbound: [rule("caseworker", ["write"], ["read"]), rule("payout-job", ["payout"])],
      },
      {
        client_id: ids.snoop,
        name: "local:benefits:snoop",
        client_secret: "secret-of-snoop",
        redirect_uris: [redirectUri],
        allow_all_users: true,
      },
      {
        client_id: ids.open,
        name: "local:benefits:open-api",
        allow_all_users: true,
        group_membership_claims: "SecurityGroup",
        client_secret: "secret-of-open",
        redirect_uris: [redirectUri],
        inbound: [rule("caseworker"), rule("snoop")],
      },
      {
        client_id: ids.foreign,
        name: "local:other:foreign",
        tenant: "other.example",
        client_secret: "secret-of-foreign",
        redirect_uris: [redirectUri],
        allow_all_users: true,
      },
    ],
  },
  openid: {
    clients: [
      {
        client_id: "plain",
        client_secret: "secret-of-plain",
        redirect_uris: [redirectUri],
        post_logout_redirect_uris: ["https://app.example/signed-out"],
        scopes: ["openid", "profile", "email", "offline_access", "notes:read"],
      },
      { client_id: "mobile", token_endpoint_auth_method: "none", redirect_uris: [redirectUri] },
    ],
  },
  maskinporten: {
    clients: [
      {
        client_id: "payout",
        orgno: "889640782",
        jwks: clientJwks,
        scopes: ["tax:income.read", "tax:secret.read", "tax:audience", "tax:unknown"],
      },
    ],
    scopes: [
      { name: "tax:income.read", consumers: ["889640782", "310000001"], at_max_age: 60 },
      { name: "tax:secret.read", consumers: ["974761076"] },
      { name: "tax:audience", consumers: ["889640782"], allowed_audiences: ["https://tax.example"] },
    ],
    delegations: [{ consumer: "310000001", supplier: "889640782", scope: "tax:income.read" }],
  },
};

/** The clock of this machine: independent clients read it too. Tests move the stand-ins' with `moveClock`. */
export const now = (): number => Date.now() / 1000;

export function standins(): Promise<Standins> {
  return startStandins({ now, registrations });
}

/** A browser, as far as a stand-in sees one: a cookie jar for a single site, and no redirect followed by itself. */
export function browser(): {
  open(url: string | URL, init?: RequestInit): Promise<Response>;
  readonly cookies: Map<string, string>;
} {
  const cookies = new Map<string, string>();
  return {
    cookies,
    async open(url, init = {}) {
      const headers = new Headers(init.headers);
      if (cookies.size > 0)
        headers.set("cookie", [...cookies].map(([name, value]) => `${name}=${value}`).join("; "));
      const response = await fetch(url, { ...init, headers, redirect: "manual" });
      for (const cookie of response.headers.getSetCookie()) {
        const [name = "", value = ""] = (cookie.split(";", 1)[0] ?? "").split("=");
        if (/Max-Age=0/i.test(cookie)) cookies.delete(name);
        else cookies.set(name, value);
      }
      return response;
    },
  };
}

/** The page's form as a browser would send it: hidden fields and the button that was pressed. */
export async function press(
  page: Response,
  tab: ReturnType<typeof browser>,
  fields: Record<string, string>,
): Promise<Response> {
  const html = await page.text();
  const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1] ?? "";
  const body = new URLSearchParams();
  for (const name of ["pending", "locale"]) {
    const value = new RegExp(`name="${name}"\\s+value="([^"]*)"`).exec(html)?.[1];
    if (value !== undefined) body.set(name, value);
  }
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return tab.open(new URL(action, page.url), { method: "POST", body });
}

export const insecure = { [client.allowInsecureRequests]: true } as const;

/** Discovery by the independent client, which checks the issuer. */
export async function discover(
  issuer: string,
  algorithm: "oidc" | "oauth2" = "oidc",
): Promise<client.AuthorizationServer> {
  const url = new URL(issuer);
  return client.processDiscoveryResponse(url, await client.discoveryRequest(url, { algorithm, ...insecure }));
}

export async function privateKey(): Promise<client.PrivateKey> {
  const key = await crypto.subtle.importKey(
    "jwk",
    pair.privateKey.export({ format: "jwk" }),
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return { key, kid };
}

export interface AssertionOptions {
  readonly claims?: JWTPayload;
  readonly key?: "registered" | "stranger";
  readonly header?: Record<string, unknown>;
  readonly without?: readonly string[];
}

/** A client assertion or JWT grant, made with jose alone. */
export async function assertion(usual: JWTPayload, options: AssertionOptions = {}): Promise<string> {
  const at = Math.floor(now());
  const claims: Record<string, unknown> = {
    iat: at,
    exp: at + 60,
    jti: randomUUID(),
    ...usual,
    ...options.claims,
  };
  for (const name of options.without ?? []) delete claims[name];
  const key: KeyObject = options.key === "stranger" ? stranger.privateKey : pair.privateKey;
  const header: Record<string, unknown> = { alg: "RS256", kid, typ: "JWT", ...options.header };
  for (const [name, value] of Object.entries(header)) if (value === undefined) delete header[name];
  return new SignJWT(claims).setProtectedHeader({ ...header, alg: "RS256" }).sign(key);
}

/** Posts a form and gives status and JSON. */
export async function post(
  url: string,
  form: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const response = await fetch(url, { method: "POST", body: new URLSearchParams(form), headers });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : { text },
  };
}
