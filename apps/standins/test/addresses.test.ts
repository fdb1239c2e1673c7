import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startStandins, type Standins } from "../src/index.ts";
import { assertion, now, redirectUri, registrations } from "./kit.ts";

describe("one issuer, reached by two names", () => {
  let idp: Standins;
  before(async () => {
    idp = await startStandins({
      now,
      registrations,
      backHosts: ["standins"],
      publicUrls: {
        idporten: "https://idp.localhost",
        entra: "https://entra.localhost",
        openid: "https://plain.localhost/at/a/path",
      },
    });
  });
  after(() => idp.close());
  const metadata = async (
    name: "idporten" | "entra" | "maskinporten" | "openid",
    url: string,
  ): Promise<Record<string, unknown>> =>
    (await idp[name].fetch(new Request(url))).json() as Promise<Record<string, unknown>>;

  test("a container sees the endpoints that it calls under its own name; the browser's keep theirs", async () => {
    const seen = await metadata("idporten", "http://standins:7001/.well-known/openid-configuration");
    assert.equal(seen["issuer"], "https://idp.localhost");
    assert.equal(seen["authorization_endpoint"], "https://idp.localhost/authorize");
    assert.equal(seen["end_session_endpoint"], "https://idp.localhost/logout");
    for (const [name, path] of Object.entries({
      token_endpoint: "/token",
      jwks_uri: "/jwks.json",
      pushed_authorization_request_endpoint: "/par",
      userinfo_endpoint: "/userinfo",
      introspection_endpoint: "/tokeninfo",
      revocation_endpoint: "/revoke",
    }))
      assert.equal(seen[name], `http://standins:7001${path}`);
    const entra = await metadata(
      "entra",
      "http://standins:7002/agency.example/v2.0/.well-known/openid-configuration",
    );
    assert.equal(entra["issuer"], idp.issuers.entra);
    assert.match(String(entra["jwks_uri"]), /^http:\/\/standins:7002\/[0-9a-f-]{36}\/discovery/);
  });

  test("a name that was not configured changes nothing", async () => {
    const response = await idp.idporten.fetch(
      new Request("http://evil.example/.well-known/openid-configuration"),
    );
    assert.equal(
      ((await response.json()) as Record<string, unknown>)["token_endpoint"],
      "https://idp.localhost/token",
    );
    assert.equal(response.headers.get("vary"), "host");
  });

  test("a client may name the token endpoint that it was told of as its assertion's audience, but no other", async () => {
    const call = async (host: string, aud: string): Promise<unknown> => {
      const body = new URLSearchParams({
        client_id: "portal",
        client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        client_assertion: await assertion({ iss: "portal", sub: "portal", aud }),
        grant_type: "authorization_code",
        code: "x",
        redirect_uri: redirectUri,
      });
      const response = await idp.idporten.fetch(
        new Request(`http://${host}/token`, { method: "POST", body }),
      );
      return ((await response.json()) as Record<string, unknown>)["error"];
    };
    assert.equal(
      await call("standins:7001", "http://standins:7001/token"),
      "invalid_grant",
      "the client was let in",
    );
    assert.equal(await call("evil.example", "http://evil.example/token"), "invalid_client");
    assert.equal(await call("standins:7001", "http://evil.example/token"), "invalid_client");
  });
});
