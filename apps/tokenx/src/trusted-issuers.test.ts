import assert from "node:assert/strict";
import { test } from "node:test";
import { generatePrivateJwk, publicJwkOf } from "@portvakt/oauth";
import { createLogger } from "@portvakt/runtime/observe";
import { trustedIssuers } from "./trusted-issuers.ts";

const log = createLogger({ name: "test", level: "silent" });
const real = "https://idporten.example/.well-known/openid-configuration";
const other = "https://other.example/.well-known/openid-configuration";
/** Of another tenant of the same host. */
const neighbour = "https://idporten.example/tenant/.well-known/openid-configuration";
const elsewhere = "http://idporten.auth.svc/.well-known/openid-configuration";

async function issuersOf(urls: readonly string[], down?: string) {
  const jwks = { keys: [publicJwkOf(await generatePrivateJwk("ES256"))] };
  const issuers = trustedIssuers({
    issuers: urls.map((url) => ({ url, rules: url })),
    now: () => 1000,
    log,
    fetch: async (input) => {
      const url = String(input instanceof Request ? input.url : input);
      if (url === down) throw new TypeError("fetch failed");
      const metadata = { issuer: "https://idporten.example", jwks_uri: new URL("/jwks", url).href };
      return Response.json(url.endsWith("/jwks") ? jwks : metadata);
    },
  });
  await issuers.refresh();
  return issuers;
}

for (const urls of [
  [real, other],
  [other, real],
  [neighbour, real],
])
  test(`RFC 8414 section 3.3: no trusted issuer stands in for another (${urls.join(", ")})`, async () => {
    const issuers = await issuersOf(urls);
    assert.equal((await issuers.find("https://idporten.example"))?.rules, real);
  });

test("RFC 8414 section 3.3: not even while that other is down", async () => {
  const issuers = await issuersOf([other, real], real);
  assert.equal(await issuers.find("https://idporten.example"), undefined);
});

test("an issuer whose metadata is only at another address is known by it, the first of two", async () => {
  const issuers = await issuersOf([elsewhere, other]);
  assert.equal((await issuers.find("https://idporten.example"))?.rules, elsewhere);
});
