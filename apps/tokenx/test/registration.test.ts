import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { party, platform, provider, resource, signed } from "./platform.ts";
import type { Platform, Provider } from "./platform.ts";

let on: Platform;
before(async () => {
  on = await platform();
});
after(() => on.close());

const bodyOf = async (response: Response) => (await response.json()) as Record<string, unknown>;
const at = (to: Platform, path = "") => `${to.running.addresses["tokenx"]}/registration/client${path}`;
const withBearer = async (to: Platform, method: string, path = "", bearer?: string) =>
  fetch(at(to, path), { method, headers: { authorization: `Bearer ${bearer ?? (await to.bearer())}` } });

test("RFC 7591 section 3.2.1: a registration is answered with the client as it is, and can be read and listed", async () => {
  const response = await on.register("local:a:app", { accessPolicyInbound: ["local:a:other"] });
  assert.equal(response.status, 201);
  const body = await bodyOf(response);
  assert.equal(body["client_id"], "local:a:app");
  assert.equal(body["token_endpoint_auth_method"], "private_key_jwt");
  assert.deepEqual(body["grant_types"], ["urn:ietf:params:oauth:grant-type:token-exchange"]);
  assert.equal(typeof body["software_statement"], "string");
  assert.deepEqual(body["jwks"], { keys: [on.apps.get("local:a:app")?.jwk] });
  assert.deepEqual(await bodyOf(await withBearer(on, "GET", "/local:a:app")), body);
  const list = (await (await withBearer(on, "GET")).json()) as { client_id: string }[];
  assert.ok(list.some(({ client_id }) => client_id === "local:a:app"));
  const absent = await withBearer(on, "GET", "/local:a:nobody");
  assert.equal(absent.status, 404);
  assert.equal((await bodyOf(absent))["error_description"], "client not found");
});

test("a deleted client is refused at once, and deleting what is not there is 204", async () => {
  await on.register("local:a:target", { accessPolicyInbound: ["local:a:gone"] });
  await on.register("local:a:gone");
  const form = async () => ({ subject_token: await on.subjectToken(), audience: "local:a:target" });
  assert.equal((await on.exchange("local:a:gone", await form())).status, 200);
  assert.equal((await withBearer(on, "DELETE", "/local:a:gone")).status, 204);
  const refused = await on.exchange("local:a:gone", await form());
  assert.equal(refused.status, 401);
  assert.equal(refused.body["error"], "invalid_client");
  assert.equal((await withBearer(on, "DELETE", "/local:a:gone")).status, 204);
  assert.equal((await on.register("local:a:gone")).status, 201);
  assert.equal((await on.exchange("local:a:gone", await form())).status, 200);
});

test("last writer wins by the statement's iat, whatever order they come in", async () => {
  const early = await on.statement({ appId: "local:a:order", accessPolicyInbound: ["local:a:early"] });
  on.clock.now += 5;
  const late = await on.statement({ appId: "local:a:order", accessPolicyInbound: ["local:a:late"] });
  assert.equal((await on.register("local:a:order", {}, { software_statement: late })).status, 201);
  const response = await on.register("local:a:order", {}, { software_statement: early });
  assert.equal(response.status, 400);
  assert.equal((await bodyOf(response))["error"], "invalid_software_statement");
  assert.equal((await bodyOf(await withBearer(on, "GET", "/local:a:order")))["software_statement"], late);
});

describe("refused statements (RFC 7591 section 3.2.2, weak point 4.4.8)", () => {
  const id = "local:a:refused";
  const rows: readonly { name: string; statement: () => Promise<string> }[] = [
    {
      name: "RFC 7591 section 3.2.2: a software statement without exp is refused",
      statement: () => on.statement({ appId: id, exp: undefined }),
    },
    {
      name: "RFC 7591 section 3.2.2: a software statement without jti is refused",
      statement: () => on.statement({ appId: id, jti: undefined }),
    },
    {
      name: "RFC 7591 section 3.2.2: a software statement that lives over 10 minutes is refused",
      statement: () => on.statement({ appId: id, exp: on.clock.now + 601 }),
    },
    {
      name: "RFC 7591 section 3.2.2: a software statement that has expired is refused",
      statement: () => on.statement({ appId: id, iat: on.clock.now - 60, exp: on.clock.now - 11 }),
    },
    {
      name: "RFC 7591 section 3.2.2: a software statement of another signer is refused",
      statement: async () =>
        signed(await party("registrar"), {
          iss: "registrar",
          iat: on.clock.now,
          exp: on.clock.now + 60,
          jti: "x",
          appId: id,
        }),
    },
    {
      name: "RFC 7591 section 3.2.2: a software statement of another issuer is refused",
      statement: () => on.statement({ iss: "else", appId: id }),
    },
    {
      name: "RFC 7591 section 3.2.2: a software statement for what is no application's id is refused",
      statement: () => on.statement({ appId: "portal" }),
    },
    {
      name: "RFC 7591 section 3.2.2: a software statement with a rule that is none is refused",
      statement: () =>
        on.statement({ appId: id, portvakt_rules: [{ application: "a b", namespace: "*", cluster: "*" }] }),
    },
    {
      name: "RFC 7591 section 3.2.2: a software statement with an algorithm that signs nothing here is refused",
      statement: () => on.statement({ appId: id, portvakt_token: { alg: "ES512" } }),
    },
  ];
  for (const { name, statement } of rows) {
    test(name, async () => {
      const response = await on.register(id, {}, { software_statement: await statement() });
      assert.equal(response.status, 400);
      assert.equal((await bodyOf(response))["error"], "invalid_software_statement");
      assert.equal((await withBearer(on, "GET", `/${id}`)).status, 404);
    });
  }

  test("RFC 7591 section 2.3: a software statement is taken once", async () => {
    const software_statement = await on.statement({ appId: "local:a:once" });
    assert.equal((await on.register("local:a:once", {}, { software_statement })).status, 201);
    const { jwk } = await party();
    const other = { software_statement, jwks: { keys: [jwk] } };
    assert.equal((await on.register("local:a:once", {}, other)).status, 400, "with another key");
    await withBearer(on, "DELETE", "/local:a:once");
    assert.equal((await on.register("local:a:once", {}, { software_statement })).status, 400, "once deleted");
  });
  test("the same registration once more, whose answer was lost, is answered as before", async () => {
    const software_statement = await on.statement({ appId: "local:a:again" });
    const send = async () => on.register("local:a:again", {}, { software_statement });
    const [first, second] = [await send(), await send()];
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.deepEqual(await bodyOf(second), await bodyOf(first));
  });
  test("RFC 7591 section 2: metadata that is not served is replaced, and the answer says by what", async () => {
    const asked = { token_endpoint_auth_method: "client_secret_basic", grant_types: ["password"] };
    const body = await bodyOf(await on.register("local:a:asked", {}, asked));
    assert.equal(body["token_endpoint_auth_method"], "private_key_jwt");
    assert.deepEqual(body["grant_types"], ["urn:ietf:params:oauth:grant-type:token-exchange"]);
  });
});

describe("refused metadata (RFC 7591 section 3.2.2)", () => {
  const weak = { kty: "RSA", kid: "1", n: "x".repeat(200), e: "AQAB" };
  const rows: readonly { name: string; body: Record<string, unknown> }[] = [
    {
      name: "RFC 7591 section 3.2.2: metadata without keys is refused, in the baseline's words",
      body: { jwks: { keys: [] } },
    },
    {
      name: "RFC 7591 section 3.2.2: metadata with a private key is refused",
      body: { jwks: { keys: [{ kty: "EC", crv: "P-256", kid: "1", x: "a", y: "b", d: "c" }] } },
    },
    {
      name: "RFC 7591 section 3.2.2: metadata with a symmetric key is refused",
      body: { jwks: { keys: [{ kty: "oct", kid: "1", k: "c" }] } },
    },
    {
      name: "RFC 7591 section 3.2.2: metadata with an RSA key under 2048 bits is refused",
      body: { jwks: { keys: [weak] } },
    },
    {
      name: "RFC 7591 section 3.2.2: metadata with a key without kid is refused",
      body: { jwks: { keys: [{ kty: "EC", crv: "P-256", x: "a", y: "b" }] } },
    },
    {
      name: "RFC 7591 section 3.2.2: metadata with two keys of one kid is refused",
      body: { jwks: { keys: [1, 2].map(() => ({ kty: "EC", crv: "P-256", kid: "1", x: "a", y: "b" })) } },
    },
    {
      name: "RFC 7591 section 3.2.2: metadata with no software statement is refused",
      body: { software_statement: undefined },
    },
  ];
  for (const { name, body } of rows) {
    test(name, async () => {
      const response = await on.register("local:a:metadata", {}, body);
      assert.equal(response.status, 400);
      assert.equal((await bodyOf(response))["error"], "invalid_client_metadata");
    });
  }
  test("a body that is not JSON", async () => {
    const response = await fetch(at(on), {
      method: "POST",
      headers: { authorization: `Bearer ${await on.bearer()}` },
      body: "{",
    });
    assert.equal(response.status, 400);
  });
});

describe("refused registrars", () => {
  const rows: readonly { name: string; authorization: () => Promise<string | undefined> }[] = [
    { name: "no token", authorization: async () => undefined },
    {
      name: "a token of another audience",
      authorization: async () => `Bearer ${await on.bearer({ aud: "https://else.example" })}`,
    },
    {
      name: "an expired token",
      authorization: async () =>
        `Bearer ${await on.bearer({ iat: on.clock.now - 60, exp: on.clock.now - 11 })}`,
    },
    {
      name: "weak point 4.4.8: a self-signed token that lives over an hour",
      authorization: async () => `Bearer ${await on.bearer({ exp: on.clock.now + 50_000_000 })}`,
    },
    {
      name: "a token of an unknown issuer",
      authorization: async () => `Bearer ${await on.bearer({ iss: "else" })}`,
    },
    {
      name: "an application's own key",
      authorization: async () =>
        `Bearer ${await signed(await party("registrar"), { iss: "registrar", sub: "registrar", aud: on.issuer, iat: on.clock.now, exp: on.clock.now + 60 })}`,
    },
  ];
  for (const { name, authorization } of rows) {
    for (const [method, path] of [
      ["POST", ""],
      ["GET", ""],
      ["GET", "/local:a:app"],
      ["DELETE", "/local:a:app"],
    ] as const) {
      test(`${name}: ${method} ${path}`, async () => {
        const value = await authorization();
        const response = await fetch(at(on, path), {
          method,
          headers: value === undefined ? {} : { authorization: value },
        });
        assert.equal(response.status, 401);
        assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer realm="BEARER_AUTH"/);
      });
    }
  }
});

describe("registrars of a provider (AUTH_PROVIDER_CONFIGS)", () => {
  let east: Provider;
  let everywhere: Provider;
  let restricted: Platform;
  const token = (by: Provider, claims: Record<string, unknown> = {}) => {
    const times = { iat: on.clock.now, exp: on.clock.now + 60 };
    return signed(by, { iss: by.issuer, sub: "jwker", aud: "tokenx", ...times, ...claims });
  };
  before(async () => {
    [east, everywhere] = await Promise.all([provider(), provider()]);
    const configs = [
      { wellKnownUrl: east.wellKnown, allowedClusterName: "east", allowedSubjects: ["jwker"] },
      { wellKnownUrl: everywhere.wellKnown },
    ];
    const env = {
      AUTH_PROVIDER_CONFIGS: JSON.stringify(configs),
      AUTH_ACCEPTED_AUDIENCE: "tokenx,other",
      // As platforms with provider registrars run it: statements have keys, and no issuer is named for them.
      AUTH_CLIENT_ID: "",
    };
    restricted = await platform({ clock: on.clock, env });
    restricted.bearer = () => token(everywhere);
    assert.equal((await restricted.register("west:a:app")).status, 201);
    restricted.bearer = () => token(east);
  });
  after(async () => {
    await restricted.close();
    await Promise.all([east.close(), everywhere.close()]);
  });

  test("one of the accepted audiences is enough", async () => {
    assert.equal((await restricted.register("east:a:app")).status, 201);
  });
  test("the cluster restriction holds for registering: 401 invalid_client, as in the baseline", async () => {
    const response = await restricted.register("west:a:app");
    assert.equal(response.status, 401);
    assert.equal((await bodyOf(response))["error"], "invalid_client");
  });
  test("weak point 4.4.8: the cluster restriction holds for reading, listing and deleting too", async () => {
    await restricted.register("east:a:app");
    const listed = async (by: Provider): Promise<string[]> => {
      const list = (await (await withBearer(restricted, "GET", "", await token(by))).json()) as {
        client_id: string;
      }[];
      return list.map(({ client_id }) => client_id).sort();
    };
    assert.equal((await withBearer(restricted, "GET", "/west:a:app", await token(east))).status, 404);
    assert.equal((await withBearer(restricted, "DELETE", "/west:a:app", await token(east))).status, 204);
    assert.deepEqual(await listed(east), ["east:a:app"]);
    assert.deepEqual(await listed(everywhere), ["east:a:app", "west:a:app"]);
  });
  test("another subject of the provider may not register", async () => {
    assert.equal(
      (await withBearer(restricted, "GET", "", await token(east, { sub: "visitor" }))).status,
      401,
    );
  });
  test("the self-signed registrar is none here", async () => {
    assert.equal((await withBearer(restricted, "GET", "", await on.bearer())).status, 401);
  });
});

describe("compatibility settings", () => {
  let compat: Platform;
  before(async () => {
    compat = await platform({
      env: { PORTVAKT_TOKENX_COMPAT_ERRORS: "true", PORTVAKT_TOKENX_COMPAT_CLIENTS: "true" },
    });
    await compat.register("local:a:caller");
    await compat.register("local:a:closed");
  });
  after(() => compat.close());

  test("an undated statement and a long-lived registrar's token are taken", async () => {
    const software_statement = await signed(compat.registrar, {
      appId: "local:a:old",
      accessPolicyInbound: ["local:a:caller"],
    });
    const bearer = await compat.bearer({ exp: compat.clock.now + 50_000_000, nbf: 1 });
    const response = await fetch(at(compat), {
      method: "POST",
      headers: { authorization: `Bearer ${bearer}` },
      body: JSON.stringify({ client_name: "old", jwks: { keys: [(await party()).jwk] }, software_statement }),
    });
    assert.equal(response.status, 201, await response.text());
  });
  test("an undated statement of another signer is refused all the same", async () => {
    const software_statement = await signed(await party("registrar", "RS256"), { appId: "local:a:forged" });
    assert.equal((await compat.register("local:a:forged", {}, { software_statement })).status, 400);
  });
  test("RFC 7519 section 4.1.6: an undated statement of the future is refused: none after it would count", async () => {
    const software_statement = await signed(compat.registrar, {
      appId: "local:a:future",
      iat: compat.clock.now + 1_000_000_000,
    });
    assert.equal((await compat.register("local:a:future", {}, { software_statement })).status, 400);
    assert.equal((await compat.register("local:a:future")).status, 201);
  });
  test("the old codes: policy, grant, assertion", async () => {
    const form = async () => ({
      subject_token: await compat.subjectToken({ aud: resource }),
      audience: "local:a:closed",
    });
    const denied = await compat.exchange("local:a:caller", await form());
    assert.deepEqual([denied.status, denied.body["error"]], [400, "invalid_request"]);
    const grant = await compat.exchange("local:a:caller", {
      ...(await form()),
      grant_type: "client_credentials",
    });
    assert.deepEqual([grant.status, grant.body["error"]], [403, "access_denied"]);
    const expired = await compat.assertion("local:a:caller", {
      iat: compat.clock.now - 90,
      exp: compat.clock.now - 30,
    });
    const bad = await compat.exchange("local:a:caller", { ...(await form()), client_assertion: expired });
    assert.deepEqual([bad.status, bad.body["error"]], [400, "invalid_request"]);
  });
  test("an assertion for the token endpoint, in an array", async () => {
    const client_assertion = await compat.assertion("local:a:caller", { aud: [`${compat.issuer}/token`] });
    const answer = await compat.exchange("local:a:caller", {
      subject_token: await compat.subjectToken(),
      audience: "local:a:old",
      client_assertion,
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  });
});
