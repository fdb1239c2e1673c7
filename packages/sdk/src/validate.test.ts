import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { base64url, exportJWK, exportSPKI, SignJWT } from "jose";
import type { JWTPayload } from "jose";
import {
  answer,
  citizen,
  codeOf,
  employee,
  env,
  fetched,
  idporten,
  keys,
  machine,
  now,
  organisation,
  sdk,
  sign,
  unsigned,
} from "../test/issuers.ts";
import type { Claims } from "../test/issuers.ts";
import { createSdk } from "./index.ts";
import type { Sdk, ValidationCode } from "./index.ts";

// The tokens are minted with jose alone: nothing of ours signs them.

describe("right tokens are accepted, and say who called", () => {
  test("TokenX", async () => {
    const result = await sdk.validateTokenxToken(await sign(citizen, "tokenx"));
    assert.ok(result.ok);
    assert.equal(result.payload["pid"], "12345678901");
    assert.equal(result.caller.client, "local:benefits:portal");
    assert.equal(result.caller.kind, "user");
    assert.equal(result.caller.user?.pid, "12345678901");
  });
  test("ID-porten, with typ at+jwt", async () => {
    const result = await sdk.validateIdportenToken(await sign(idporten, "idporten", { typ: "at+jwt" }));
    assert.ok(result.ok && result.provider === "idporten");
  });
  test("Entra ID, for an employee", async () => {
    const result = await sdk.validateAzureToken(await sign(employee, "entra"));
    assert.ok(result.ok);
    assert.equal(result.caller.user?.NAVident, "A123456");
    assert.deepEqual(result.caller.scopes, ["defaultaccess", "read"]);
    assert.equal(result.caller.clientName, "local:benefits:caseworker");
  });
  test("Entra ID, for an application", async () => {
    const result = await sdk.validateAzureToken(await sign(machine, "entra"), { kind: "machine" });
    assert.ok(result.ok);
    assert.equal(result.caller.user, undefined);
    assert.deepEqual(result.caller.roles, ["access_as_application"]);
  });
  test("Maskinporten, with its scope", async () => {
    const result = await sdk.validateMaskinportenToken(await sign(organisation, "maskinporten"), {
      scope: "benefits:read",
    });
    assert.ok(result.ok);
    assert.equal(result.caller.organisation, "889640782");
  });
  test("validateToken picks the provider by the issuer", async () => {
    const picked = await Promise.all(
      [sign(citizen, "tokenx"), sign(idporten, "idporten"), sign(machine, "entra")].map(async (token) => {
        const result = await sdk.validateToken(await token);
        return result.ok && result.provider;
      }),
    );
    assert.deepEqual(picked, ["tokenx", "idporten", "entra_id"]);
  });
});

describe("journey 4: each wrong token is refused with its own reason", async () => {
  const publicPem = await exportSPKI(keys.tokenx.publicKey);
  const header = { alg: "RS256", kid: "tokenx" };
  const good = await sign(citizen, "tokenx");
  const [head = "", body = ""] = good.split(".");
  const cases: { name: string; token: string | null; code: ValidationCode; says: RegExp }[] = [
    { name: "no token", token: null, code: "no_token", says: /no token/ },
    { name: "an empty token", token: "", code: "no_token", says: /no token/ },
    { name: "no JWT", token: "opaque", code: "malformed", says: /not a signed JWT/ },
    {
      name: "expired",
      token: await sign({ ...citizen, exp: now - 34 }, "tokenx"),
      code: "expired",
      says: /expired 34 s ago/,
    },
    {
      name: "not yet valid",
      token: await sign({ ...citizen, nbf: now + 60 }, "tokenx"),
      code: "not_yet_valid",
      says: /another 60 s/,
    },
    {
      name: "issued in the future",
      token: await sign({ ...citizen, iat: now + 60 }, "tokenx"),
      code: "issued_in_future",
      says: /in the future/,
    },
    {
      name: "wrong audience",
      token: await sign({ ...citizen, aud: "local:benefits:other" }, "tokenx"),
      code: "wrong_audience",
      says: /for "local:benefits:other", not for "local:benefits:api"/,
    },
    {
      name: "wrong issuer",
      token: await sign({ ...citizen, iss: "https://evil.example" }, "tokenx"),
      code: "wrong_issuer",
      says: /issuer is "https:\/\/evil\.example"/,
    },
    {
      name: "bad signature (signed by a stranger under a known kid)",
      token: await sign(citizen, "stranger", { kid: "tokenx" }),
      code: "bad_signature",
      says: /signature does not match/,
    },
    {
      name: "claims changed after signing",
      token: `${head}.${base64url.encode(JSON.stringify({ ...citizen, pid: "99999999999" }))}.${good.split(".")[2]}`,
      code: "bad_signature",
      says: /signature does not match/,
    },
    { name: "signature cut off", token: `${head}.${body}.`, code: "bad_signature", says: /signature/ },
    {
      name: "unknown key",
      token: await sign(citizen, "stranger"),
      code: "unknown_key",
      says: /signed by key "stranger", which is not among the 1 keys/,
    },
    {
      name: "alg none",
      token: unsigned({ alg: "none", typ: "JWT" }, citizen),
      code: "alg_not_allowed",
      says: /alg "none" is not allowed/,
    },
    {
      name: "alg None in another letter case",
      token: unsigned({ ...header, alg: "nOnE" }, citizen),
      code: "alg_not_allowed",
      says: /is not allowed/,
    },
    {
      name: "HS256 with the public key as its secret",
      token: await new SignJWT(citizen as JWTPayload)
        .setProtectedHeader({ alg: "HS256", kid: "tokenx" })
        .sign(new TextEncoder().encode(publicPem)),
      code: "alg_not_allowed",
      says: /alg "HS256" is not allowed/,
    },
    {
      name: "a key of its own in the header",
      token: await sign(citizen, "stranger", {
        kid: "tokenx",
        jwk: await exportJWK(keys.stranger.publicKey),
      }),
      code: "embedded_key",
      says: /brings its own key \(jwk\)/,
    },
    {
      name: "an unknown critical extension",
      token: unsigned({ ...header, crit: ["x"], x: 1 }, citizen),
      code: "critical_header",
      says: /critical/,
    },
    {
      name: "an ID token used as an access token",
      token: await sign({ ...citizen, nonce: "n" }, "tokenx"),
      code: "not_an_access_token",
      says: /it seems, an ID token: it has nonce/,
    },
    {
      name: "an ID token without a nonce",
      token: await sign({ ...citizen, client_id: undefined }, "tokenx"),
      code: "not_an_access_token",
      says: /it has no client_id/,
    },
    {
      name: "a JWT of some other type",
      token: await sign(citizen, "tokenx", { typ: "vc+jwt" }),
      code: "typ_not_allowed",
      says: /typ "vc\+jwt" is not the type expected/,
    },
    {
      name: "a logout token",
      token: await sign(citizen, "tokenx", { typ: "logout+jwt" }),
      code: "typ_not_allowed",
      says: /typ/,
    },
    {
      name: "a token of another provider",
      token: await sign(idporten, "idporten"),
      code: "wrong_issuer",
      says: /issuer is "https:\/\/idporten\.example", not "https:\/\/tokenx\.example"/,
    },
    {
      name: "a token bound to a key (cnf)",
      token: await sign({ ...citizen, cnf: { jkt: "thumbprint" } }, "tokenx"),
      code: "sender_constrained",
      says: /may not be used as a plain bearer token/,
    },
    {
      name: "no exp",
      token: await sign({ ...citizen, exp: undefined }, "tokenx"),
      code: "missing_claim",
      says: /no exp/,
    },
    {
      name: "no aud",
      token: await sign({ ...citizen, aud: undefined }, "tokenx"),
      code: "wrong_audience",
      says: /for nobody/,
    },
    { name: "too large", token: `${good}${"A".repeat(20_000)}`, code: "too_large", says: /too large/ },
  ];
  for (const { name, token, code, says } of cases) {
    test(name, async () => {
      const result = await sdk.validateTokenxToken(token);
      assert.ok(!result.ok);
      assert.equal(result.code, code);
      assert.match(result.error.message, says);
      assert.equal(result.errorType, code === "expired" ? "token expired" : "unknown");
      if (token) assert.ok(!result.error.message.includes(token), "the token is in the message");
    });
  }
  for (const token of [5, true, ["a"], { toString: () => good }]) {
    test(`what is no text is a result: ${typeof token}`, async () => {
      assert.equal(codeOf(await sdk.validateToken(token as unknown as string)), "malformed");
    });
  }
  test("the cases are not refused for a reason that would refuse everything", async () => {
    assert.equal(codeOf(await sdk.validateTokenxToken(good)), "accepted");
  });
});

test("Entra ID: an ID token has the same audience as an access token, and is still refused (RFC 8725 section 3.12)", async () => {
  const { azp: _azp, scp: _scp, ...idToken } = employee;
  assert.equal(codeOf(await sdk.validateAzureToken(await sign(idToken, "entra"))), "not_an_access_token");
});

test("an issuer's keys never verify another issuer's tokens", async () => {
  const forged = await sign({ ...employee }, "tokenx");
  assert.equal(codeOf(await sdk.validateAzureToken(forged)), "unknown_key");
});

describe("Maskinporten", () => {
  const validate = async (claims: Claims, scope: string | readonly string[], other: Sdk = sdk) =>
    codeOf(await other.validateMaskinportenToken(await sign(claims, "maskinporten"), { scope }));
  test("another scope is not enough", async () =>
    assert.equal(await validate(organisation, "benefits:delete"), "insufficient_scope"));
  test("a part of a scope is not the scope", async () =>
    assert.equal(await validate(organisation, "benefits:rea"), "insufficient_scope"));
  test("no scope to check is refused, whatever the token", async () => {
    assert.equal(await validate(organisation, []), "not_configured");
    const any = await sdk.validateToken(await sign(organisation, "maskinporten"), {
      providers: "maskinporten",
    });
    assert.equal(codeOf(any), "not_configured");
  });
  test("validateToken does not accept its tokens unless they are asked for", async () => {
    assert.equal(codeOf(await sdk.validateToken(await sign(organisation, "maskinporten"))), "wrong_issuer");
  });
  test("RFC 7519 section 4.1.3: a token for some audience is refused while we do not know who we are", async () =>
    assert.equal(
      await validate({ ...organisation, aud: "https://other.example" }, "benefits:read"),
      "wrong_audience",
    ));
  test("an audience of `unspecified` is none", async () =>
    assert.equal(await validate({ ...organisation, aud: "unspecified" }, "benefits:read"), "accepted"));
  test("with MASKINPORTEN_AUDIENCE the audience must be ours", async () => {
    const withAudience = { ...env, MASKINPORTEN_AUDIENCE: "https://us.example" };
    const strict = createSdk({ env: withAudience, now: () => now, fetch: answer });
    assert.equal(
      await validate({ ...organisation, aud: "https://us.example" }, "benefits:read", strict),
      "accepted",
    );
    assert.equal(await validate(organisation, "benefits:read", strict), "wrong_audience");
  });
});

describe("the names of providers", () => {
  const token = sign(employee, "entra");
  for (const providers of ["entra_id", "azuread", "azure", ["tokenx", "azuread"]] as const) {
    test(String(providers), async () => {
      const result = await sdk.validateToken(await token, { providers });
      assert.ok(result.ok && result.provider === "entra_id");
    });
  }
  test("a name that is none's is a result", async () => {
    for (const name of ["azzure", "toString", "__proto__"]) {
      const result = await sdk.validateToken(await token, { providers: name as "azure" });
      assert.ok(!result.ok && result.code === "not_configured");
      assert.match(result.error.message, new RegExp(name));
    }
  });
});

describe("what is not set up is a result, not an exception", () => {
  test("no provider at all", async () => {
    const empty = createSdk({ env: {}, now: () => now, fetch: answer });
    const result = await empty.validateToken(await sign(citizen, "tokenx"));
    assert.ok(!result.ok && result.code === "not_configured");
    assert.match(result.error.message, /no identity provider/);
  });
  test("one provider, its variables named", async () => {
    const half = createSdk({ env: { TOKEN_X_ISSUER: "x" }, now: () => now, fetch: answer });
    const result = await half.validateTokenxToken("a.b.c");
    assert.ok(!result.ok);
    assert.equal(result.error.message, "TOKEN_X_JWKS_URI, TOKEN_X_CLIENT_ID are not set");
  });
  test("keys that cannot be fetched", async () => {
    const cut = createSdk({ env, now: () => now, fetch: () => Promise.reject(new TypeError("cut off")) });
    assert.equal(codeOf(await cut.validateTokenxToken(await sign(citizen, "tokenx"))), "keys_unavailable");
  });
});

test("a thousand tokens with unknown keys cause no more than one further fetch of the keys", async () => {
  const before = fetched.filter((url) => url === env.TOKEN_X_JWKS_URI).length;
  const forged = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => sign(citizen, "stranger", { kid: `k${i}` })),
  );
  await Promise.all(forged.map((token) => sdk.validateTokenxToken(token)));
  assert.ok(fetched.filter((url) => url === env.TOKEN_X_JWKS_URI).length - before <= 1);
});
