/** What clients, registrars and operators of the server that TokenX takes the place of count on. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { decodeJwt } from "jose";
import { readSettings } from "@portvakt/runtime/config";
import { settings } from "../src/index.ts";
import { assertionType, exchangeGrant, jwtType, party, platform, provider, signed } from "./platform.ts";
import type { Platform } from "./platform.ts";

const portal = "dev:team:portal";
const api = "dev:team:api";
const closed = "dev:team:closed";

describe("settings by the baseline's names", () => {
  const wellKnown = "https://idp.example/.well-known/openid-configuration";
  const registrar = "https://registrar.example/.well-known/openid-configuration";
  const env = {
    APPLICATION_PORT: "9090",
    APPLICATION_PROFILE: "PROD",
    DB_JDBC_URL: "jdbc:postgresql://db:5432/tokendings?user=tokendings&password=p",
    ISSUER_URL: "https://tokenx.example",
    SUBJECT_TOKEN_ISSUERS: wellKnown,
    SUBJECT_TOKEN_MAPPINGS: JSON.stringify({ [wellKnown]: { acr: { "idporten-loa-high": "Level4" } } }),
    TOKEN_EXPIRY_SECONDS: "600",
    AUTH_CLIENT_ID: "jwker",
    AUTH_CLIENT_JWKS: JSON.stringify({ keys: [{ kty: "RSA", kid: "1", n: "n", e: "AQAB" }] }),
    AUTH_WELL_KNOWN_URL: registrar,
    AUTH_ACCEPTED_AUDIENCE: "dev:team:tokendings,other",
    AUTH_PROVIDER_CONFIGS: JSON.stringify([
      { wellKnownUrl: registrar, allowedClusterName: "dev", allowedSubjects: ["s"] },
    ]),
  };
  test("each is read", () => {
    const read = readSettings(settings, env);
    assert.equal(read.port, 9090);
    assert.equal(read.databaseUrl?.reveal(), env.DB_JDBC_URL);
    assert.equal(read.issuer, env.ISSUER_URL);
    assert.deepEqual(read.subjectIssuers, [wellKnown]);
    assert.deepEqual(read.subjectMappings[wellKnown]?.["acr"], { "idporten-loa-high": "Level4" });
    assert.equal(read.tokenLifetimeSeconds, 600);
    assert.equal(read.registrarId, "jwker");
    assert.equal(read.registrarJwks?.keys.length, 1);
    assert.equal(read.registrarWellKnownUrl, registrar);
    assert.deepEqual(read.registrarAudience, ["dev:team:tokendings", "other"]);
    assert.deepEqual(read.registrarProviders?.[0]?.allowedSubjects, ["s"]);
  });
  test("an empty list of subjects is a problem: it is not known whether it means nobody or everybody", () => {
    const bad = [{ wellKnownUrl: registrar, allowedSubjects: [] }];
    assert.throws(
      () => readSettings(settings, { ...env, AUTH_PROVIDER_CONFIGS: JSON.stringify(bad) }),
      /allowedSubjects.*admits nobody/,
    );
  });
  test("two registrars of one issuer are a problem, not a guess which rules count", () => {
    const twice = [registrar, registrar].map((wellKnownUrl) => ({ wellKnownUrl }));
    const bad = { ...env, AUTH_PROVIDER_CONFIGS: JSON.stringify(twice) };
    assert.throws(() => readSettings(settings, bad), /AUTH_PROVIDER_CONFIGS|REGISTRAR_PROVIDERS/);
  });
});

let on: Platform;
let old: Platform;
before(async () => {
  const idporten = await provider();
  const mappings = {
    acr: { "idporten-loa-substantial": "Level3", "idporten-loa-high": "Level4" },
    locale: { nb: "no" },
  };
  const env = {
    DATABASE_URL: "",
    SUBJECT_TOKEN_MAPPINGS: JSON.stringify({ [idporten.wellKnown]: mappings }),
  };
  const beside = {
    issuer: "https://tokenx.example",
    clock: { now: 1_750_000_000 },
    registrar: await party("registrar", "RS256"),
    idporten,
    apps: new Map(),
  };
  on = await platform({ beside, env });
  old = await platform({ beside, env: { ...env, PORTVAKT_TOKENX_COMPAT_ERRORS: "true" } });
  for (const to of [on, old]) {
    await to.register(portal);
    await to.register(api, { accessPolicyInbound: [portal], accessPolicyOutbound: [] });
    await to.register(closed);
  }
});
after(async () => {
  await Promise.all([on.close(), old.close()]);
  await on.idporten.close();
});

describe("routes beside OAuth's", () => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${on.running.addresses["tokenx"]}${path}`, { headers });

  test("/internal/isalive says ALIVE; /internal/isready says what it depends on", async () => {
    assert.equal(await (await get("/internal/isalive")).text(), "ALIVE");
    const ready = await get("/internal/isready");
    assert.equal(ready.status, 200);
    const { checks } = (await ready.json()) as { checks: Record<string, { ok: boolean }> };
    for (const name of ["database", "signing_keys", on.idporten.wellKnown])
      assert.equal(checks[name]?.ok, true, name);
  });
  test("/internal/metrics gives all, or those that name[] names", async () => {
    await on.exchange(portal, { subject_token: await on.subjectToken(), audience: api });
    const all = await (await get("/internal/metrics")).text();
    const wanted = "portvakt_tokenx_tokens_issued_total";
    assert.ok(all.includes(wanted) && all.includes("portvakt_tokenx_token_requests_total"));
    const some = await (await get(`/internal/metrics?name[]=${wanted}&name[]=unknown`)).text();
    const samples = some.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
    assert.ok(samples.length > 0 && samples.every((line) => line.startsWith(wanted)), some);
  });
  test("X-Correlation-ID is in the log", async () => {
    const body = new URLSearchParams({ grant_type: exchangeGrant });
    const headers = { "x-correlation-id": "from-the-caller" };
    await fetch(`${on.running.addresses["tokenx"]}/token`, { method: "POST", body, headers });
    assert.ok(on.logged.some((line) => line.includes('"correlation_id":"from-the-caller"')));
  });
});

describe("claims", () => {
  const issued = async (claims: Record<string, unknown>) => {
    const { body } = await on.exchange(portal, {
      subject_token: await on.subjectToken(claims),
      audience: api,
    });
    return decodeJwt(String(body["access_token"]));
  };
  test("SUBJECT_TOKEN_MAPPINGS: values are written as the platform writes them; others, and what is no text, are kept", async () => {
    const mapped = await issued({ acr: "idporten-loa-substantial", locale: "nb" });
    assert.deepEqual([mapped["acr"], mapped["locale"]], ["Level3", "no"]);
    const kept = await issued({ acr: "idporten-loa-low", locale: ["nb"] });
    assert.deepEqual([kept["acr"], kept["locale"]], ["idporten-loa-low", ["nb"]]);
    assert.equal((await issued({ locale: "constructor" }))["locale"], "constructor");
  });
  test("what an API needs of ID-porten's is there: pid, acr, scope, client_amr, consumer", async () => {
    const consumer = { authority: "iso6523-actorid-upis", ID: "0192:889640782" };
    const claims = await issued({ client_amr: "private_key_jwt", consumer });
    assert.equal(claims["pid"], "12345678901");
    assert.equal(claims["scope"], "openid profile");
    assert.equal(claims["client_amr"], "private_key_jwt");
    assert.deepEqual(claims["consumer"], consumer);
    assert.deepEqual([claims["idp"], claims["client_id"], claims.aud], [on.idporten.issuer, portal, api]);
  });
});

interface Failure {
  readonly name: string;
  /** What differs from a request that succeeds; undefined = left out. */
  readonly form: (to: Platform) => Promise<Record<string, string | undefined>>;
  readonly baseline: readonly [number, string];
  readonly rfc: readonly [number, string];
}
const badRequest = [400, "invalid_request"] as const;
const badClient = [401, "invalid_client"] as const;
const badTarget = [400, "invalid_target"] as const;
const stranger = "dev:team:stranger";
const asserted = async (to: Platform, claims: Record<string, unknown>, by = portal) => ({
  client_assertion: await to.assertion(by, claims),
});

const failures: readonly Failure[] = [
  {
    name: "20: an unknown client",
    form: async (to) => {
      to.apps.set(stranger, await party());
      return asserted(to, {}, stranger);
    },
    baseline: badClient,
    rfc: badClient,
  },
  {
    name: "21: an assertion that lives too long",
    form: (to) => asserted(to, { exp: to.clock.now + 121 }),
    baseline: badClient,
    rfc: badClient,
  },
  {
    name: "22: an assertion by another key",
    form: async (to) => {
      const { alg, jwk } = to.apps.get(portal)!;
      const claims = decodeJwt(await to.assertion(portal));
      return { client_assertion: await signed({ ...(await party(jwk.kid, alg)) }, { ...claims }) };
    },
    baseline: badRequest,
    rfc: badClient,
  },
  {
    name: "22: an assertion that has expired",
    form: (to) => asserted(to, { iat: to.clock.now - 60, exp: to.clock.now - 11 }),
    baseline: badRequest,
    rfc: badClient,
  },
  {
    name: "22: an assertion for somebody else",
    form: (to) => asserted(to, { aud: "https://else.example" }),
    baseline: badRequest,
    rfc: badClient,
  },
  {
    name: "22: an assertion whose iss is not its sub",
    form: (to) => asserted(to, { iss: api }),
    baseline: badRequest,
    rfc: badClient,
  },
  {
    name: "22: an assertion without jti",
    form: (to) => asserted(to, { jti: undefined }),
    baseline: badRequest,
    rfc: badClient,
  },
  {
    name: "23: an assertion that is none",
    form: async () => ({ client_assertion: "nonsense" }),
    baseline: badRequest,
    rfc: badClient,
  },
  {
    name: "24: no client_assertion",
    form: async () => ({ client_assertion: undefined, client_assertion_type: undefined }),
    baseline: badRequest,
    rfc: badClient,
  },
  {
    name: "24: another client_assertion_type",
    form: async () => ({ client_assertion_type: "urn:x" }),
    baseline: badRequest,
    rfc: badRequest,
  },
  {
    name: "24: no audience",
    form: async () => ({ audience: undefined }),
    baseline: badRequest,
    rfc: badRequest,
  },
  {
    name: "24: no subject_token",
    form: async () => ({ subject_token: undefined }),
    baseline: badRequest,
    rfc: badRequest,
  },
  {
    name: "24: another subject_token_type",
    form: async () => ({ subject_token_type: "urn:ietf:params:oauth:token-type:saml2" }),
    baseline: badRequest,
    rfc: badRequest,
  },
  {
    name: "25: an unknown audience",
    form: async () => ({ audience: "dev:team:nobody" }),
    baseline: badRequest,
    rfc: badTarget,
  },
  {
    name: "26: a target that does not admit the caller",
    form: async () => ({ audience: closed }),
    baseline: badRequest,
    rfc: badTarget,
  },
  {
    name: "27: a subject token of an unknown issuer",
    form: async (to) => ({ subject_token: await to.subjectToken({ iss: "https://else.example" }) }),
    baseline: badRequest,
    rfc: badRequest,
  },
  {
    name: "28: a subject token that has expired",
    form: async (to) => ({ subject_token: await to.subjectToken({ exp: to.clock.now - 1 }) }),
    baseline: badRequest,
    rfc: badRequest,
  },
  {
    name: "29: a token of ours that is another's",
    form: async (to) => {
      const own = { subject_token: await to.subjectToken(), audience: api };
      return { subject_token: String((await to.exchange(portal, own)).body["access_token"]) };
    },
    baseline: badRequest,
    rfc: badRequest,
  },
  {
    name: "30: an unsupported grant",
    form: async () => ({ grant_type: "client_credentials" }),
    baseline: [403, "access_denied"],
    rfc: [400, "unsupported_grant_type"],
  },
];

describe("error codes: the RFCs', and the baseline's with PORTVAKT_TOKENX_COMPAT_ERRORS", () => {
  const answerOf = async (to: Platform, failure: Failure) => {
    const whole = {
      grant_type: exchangeGrant,
      client_assertion_type: assertionType,
      client_assertion: await to.assertion(portal),
      subject_token_type: jwtType,
      subject_token: await to.subjectToken(),
      audience: api,
      ...(await failure.form(to)),
    };
    const present = Object.entries(whole).filter(([, value]) => value !== undefined);
    return to.post(Object.fromEntries(present));
  };
  for (const failure of failures)
    test(failure.name, async () => {
      for (const [to, expected] of [
        [on, failure.rfc],
        [old, failure.baseline],
      ] as const) {
        const { status, body, headers } = await answerOf(to, failure);
        assert.deepEqual([status, body["error"]], expected, JSON.stringify(body));
        assert.equal(headers.get("cache-control"), "no-store");
      }
    });
});
