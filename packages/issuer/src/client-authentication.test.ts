import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  clientAssertionType,
  createSigner,
  equalConstantTime,
  generatePrivateJwk,
  localKeySet,
  parseForm,
} from "@portvakt/oauth";
import type { JwtClaims } from "@portvakt/oauth";
import { clientAuthenticator, ClientRefused, memoryReplay } from "./index.ts";
import type { ClientAuthenticatorOptions, RegisteredClient, TokenRequest } from "./index.ts";

const now = 1_700_000_000;
const issuer = "https://as.example";
const [own, other] = await Promise.all(
  (["ES256", "ES256"] as const).map(async (alg) => createSigner(await generatePrivateJwk(alg))),
);
const clients: Record<string, RegisteredClient> = {
  "local:a:keys": {
    id: "local:a:keys",
    authMethods: ["private_key_jwt"],
    keys: localKeySet([own!.publicJwk]),
  },
  "local:a:secret": {
    id: "local:a:secret",
    authMethods: ["client_secret_basic", "client_secret_post"],
    secretMatches: (secret) => equalConstantTime(secret, "p:æ+ %"),
  },
  public: { id: "public", authMethods: ["none"] },
};

function authenticator(change: Partial<ClientAuthenticatorOptions<RegisteredClient>> = {}) {
  return clientAuthenticator<RegisteredClient>({
    findClient: async (id) => clients[id],
    acceptedAudiences: [issuer],
    claimJti: memoryReplay({ now: () => now }),
    now: () => now,
    algorithms: ["RS256", "ES256"],
    ...change,
  });
}

function request(form: Record<string, string>, headers: Record<string, string> = {}): TokenRequest {
  const params = parseForm(new URLSearchParams(form));
  return { params, headers: new Headers(headers), method: "POST", url: `${issuer}/token`, grantType: "x" };
}

const good = {
  iss: "local:a:keys",
  sub: "local:a:keys",
  aud: issuer,
  iat: now,
  nbf: now,
  exp: now + 60,
  jti: "1",
};
async function withAssertion(
  claims: JwtClaims,
  signer = own!,
  header: { typ?: string } = {},
): Promise<TokenRequest> {
  return request({
    client_assertion_type: clientAssertionType,
    client_assertion: await signer.sign(claims, header),
  });
}

const basic = (id: string, secret: string): Record<string, string> => {
  const encode = (text: string) => new URLSearchParams({ t: text }).toString().slice(2);
  return { authorization: `Basic ${btoa(`${encode(id)}:${encode(secret)}`)}` };
};

describe("accepted", () => {
  const rows: readonly { name: string; make: () => Promise<TokenRequest>; id: string }[] = [
    { name: "RFC 7523 section 2.2: private_key_jwt", make: () => withAssertion(good), id: "local:a:keys" },
    {
      name: "RFC 7523bis: an assertion of explicit type",
      make: () => withAssertion(good, own, { typ: "client-authentication+jwt" }),
      id: "local:a:keys",
    },
    {
      name: "RFC 6749 section 2.3.1: client_secret_basic, both halves form-encoded",
      make: async () => request({}, basic("local:a:secret", "p:æ+ %")),
      id: "local:a:secret",
    },
    {
      name: "RFC 6749 section 2.3.1: client_secret_post",
      make: async () => request({ client_id: "local:a:secret", client_secret: "p:æ+ %" }),
      id: "local:a:secret",
    },
    { name: "RFC 7591 section 2: none", make: async () => request({ client_id: "public" }), id: "public" },
    {
      name: "skew: an assertion that expired 9 s ago",
      make: () => withAssertion({ ...good, nbf: now - 69, iat: now - 69, exp: now - 9 }),
      id: "local:a:keys",
    },
  ];
  for (const { name, make, id } of rows) {
    test(name, async () => assert.equal((await authenticator()(await make())).id, id));
  }
});

describe("refused", () => {
  const rows: readonly { name: string; make: () => Promise<TokenRequest>; error: string; code?: string }[] = [
    {
      name: "no credentials",
      make: async () => request({}),
      error: "invalid_client",
      code: "no_credentials",
    },
    {
      name: "RFC 6749 section 2.3: two methods at once",
      make: async () =>
        request({ client_id: "local:a:secret", client_secret: "x" }, basic("local:a:secret", "p:æ+ %")),
      error: "invalid_request",
    },
    {
      name: "RFC 6749 section 2.3.1: a wrong secret",
      make: async () => request({}, basic("local:a:secret", "wrong")),
      error: "invalid_client",
      code: "wrong_secret",
    },
    {
      name: "a client that is registered for secrets, sending none",
      make: async () => request({ client_id: "local:a:secret" }),
      error: "invalid_client",
      code: "method_not_registered",
    },
    {
      name: "a client that is registered for keys, sending a secret",
      make: async () => request({ client_id: "local:a:keys", client_secret: "x" }),
      error: "invalid_client",
      code: "method_not_registered",
    },
    {
      name: "malformed Basic",
      make: async () => request({}, { authorization: "Basic ???" }),
      error: "invalid_client",
      code: "malformed_credentials",
    },
    {
      name: "client_id of another than the credentials'",
      make: async () => request({ client_id: "public" }, basic("local:a:secret", "p:æ+ %")),
      error: "invalid_client",
      code: "client_id_mismatch",
    },
    {
      name: "RFC 7523 section 2.2: another client_assertion_type",
      make: async () => request({ client_assertion_type: "saml", client_assertion: "x" }),
      error: "invalid_request",
    },
    {
      name: "RFC 7523 section 3: not a JWT",
      make: async () => request({ client_assertion_type: clientAssertionType, client_assertion: "x" }),
      error: "invalid_client",
      code: "malformed",
    },
    {
      name: "RFC 7523 section 3 rule 2: iss is not sub",
      make: () => withAssertion({ ...good, iss: "public" }),
      error: "invalid_client",
      code: "issuer_is_not_subject",
    },
    {
      name: "an unknown client",
      make: () => withAssertion({ ...good, iss: "x", sub: "x" }),
      error: "invalid_client",
      code: "unknown_client",
    },
    {
      name: "RFC 7523 section 3 rule 9: another client's key",
      make: () => withAssertion(good, other),
      error: "invalid_client",
      code: "unverified",
    },
    {
      name: "RFC 7523 section 3 rule 3: another audience",
      make: () => withAssertion({ ...good, aud: "https://else.example" }),
      error: "invalid_client",
      code: "unverified",
    },
    {
      name: "RFC 7523bis: the token endpoint as audience",
      make: () => withAssertion({ ...good, aud: `${issuer}/token` }),
      error: "invalid_client",
      code: "unverified",
    },
    {
      name: "RFC 7523bis: a second audience",
      make: () => withAssertion({ ...good, aud: [issuer, "https://else.example"] }),
      error: "invalid_client",
      code: "audience_not_sole",
    },
    {
      name: "RFC 7523bis: the audience in an array",
      make: () => withAssertion({ ...good, aud: [issuer] }),
      error: "invalid_client",
      code: "audience_not_sole",
    },
    {
      name: "weak point 4.4.3: a lifetime exp - iat over 120 s, though it ends within 120 s",
      make: () => withAssertion({ ...good, iat: now - 100, exp: now + 60 }),
      error: "invalid_client",
      code: "lives_too_long",
    },
    {
      name: "RFC 7523 section 3 rule 4: expired beyond the skew",
      make: () => withAssertion({ ...good, iat: now - 60, exp: now - 10 }),
      error: "invalid_client",
      code: "unverified",
    },
    {
      name: "RFC 7523 section 3 rule 5: not valid yet",
      make: () => withAssertion({ ...good, nbf: now + 11 }),
      error: "invalid_client",
      code: "unverified",
    },
    {
      name: "RFC 7523 section 3 rule 6: issued in the future",
      make: () => withAssertion({ ...good, iat: now + 11 }),
      error: "invalid_client",
      code: "unverified",
    },
    ...(["exp", "iat", "jti", "aud"] as const).map((claim) => ({
      name: `an assertion without ${claim}`,
      make: () => withAssertion(Object.fromEntries(Object.entries(good).filter(([name]) => name !== claim))),
      error: "invalid_client",
      code: "unverified",
    })),
    {
      name: "an empty jti",
      make: () => withAssertion({ ...good, jti: "" }),
      error: "invalid_client",
      code: "no_jti",
    },
    {
      name: "RFC 8725 section 3.11: an access token as assertion",
      make: () => withAssertion(good, own, { typ: "at+jwt" }),
      error: "invalid_client",
      code: "unverified",
    },
  ];
  for (const { name, make, error, code } of rows) {
    test(name, async () => {
      const thrown: unknown = await authenticator()(await make()).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.ok(thrown instanceof Error && "error" in thrown, `was refused: ${String(thrown)}`);
      assert.equal(thrown.error, error);
      if (code === undefined) return;
      assert.ok(thrown instanceof ClientRefused);
      assert.equal(thrown.assertion?.code ?? thrown.code, code);
    });
  }
});

test("weak point 4.4.3: an assertion is used once, also when both uses come at the same moment", async () => {
  const authenticate = authenticator();
  const replayed = await withAssertion(good);
  const results = await Promise.allSettled([authenticate(replayed), authenticate(replayed)]);
  assert.deepEqual(results.map((result) => result.status).sort(), ["fulfilled", "rejected"]);
});

test("a refused assertion does not use up its jti", async () => {
  const authenticate = authenticator();
  await assert.rejects(authenticate(await withAssertion(good, other)));
  assert.equal((await authenticate(await withAssertion(good))).id, "local:a:keys");
});

test("a key that is not known is looked for once more, past the memory", async () => {
  const asked: boolean[] = [];
  const stale = { ...clients["local:a:keys"]!, keys: localKeySet([other!.publicJwk]) };
  const authenticate = authenticator({
    findClient: async (id, { fresh }) => {
      asked.push(fresh);
      return fresh || asked.length > 2 ? clients[id] : stale;
    },
  });
  assert.equal((await authenticate(await withAssertion(good))).id, "local:a:keys");
  assert.deepEqual(asked.slice(0, 2), [false, true]);
});

test("compatibility: a sole audience in an array, and the token endpoint, where the server says so", async () => {
  const authenticate = authenticator({
    acceptedAudiences: [issuer, `${issuer}/token`],
    acceptAudienceArray: true,
  });
  assert.ok(await authenticate(await withAssertion({ ...good, aud: [issuer] })));
  assert.ok(await authenticate(await withAssertion({ ...good, aud: `${issuer}/token`, jti: "2" })));
  await assert.rejects(
    authenticate(await withAssertion({ ...good, aud: [issuer, `${issuer}/token`], jti: "3" })),
  );
});
