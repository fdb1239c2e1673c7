import assert from "node:assert/strict";
import { test } from "node:test";
import { generatePrivateJwk, publicJwkOf } from "@portvakt/oauth";
import { createLogger } from "@portvakt/runtime/observe";
import { trustedIssuers } from "./trusted-issuers.ts";

const log = createLogger({ name: "test", level: "silent" });
const real = "https://idporten.example/.well-known/openid-configuration";
const other = "https://other.example/.well-known/openid-configuration";
const elsewhere = "http://idporten.auth.svc/.well-known/openid-configuration";

async function issuersOf(urls: readonly string[]) {
  const jwks = { keys: [publicJwkOf(await generatePrivateJwk("ES256"))] };
  const issuers = trustedIssuers({
    issuers: urls.map((url) => ({ url, rules: url })),
    now: () => 1000,
    log,
    fetch: async (input) => {
      const url = String(input instanceof Request ? input.url : input);
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
])
  test(`RFC 8414 section 3.3: no trusted issuer stands in for another (${urls.indexOf(real) + 1} of 2)`, async () => {
    const issuers = await issuersOf(urls);
    assert.equal((await issuers.find("https://idporten.example"))?.rules, real);
  });

test("an issuer whose metadata is only at another address is known by it, the first of two", async () => {
  const issuers = await issuersOf([elsewhere, other]);
  assert.equal((await issuers.find("https://idporten.example"))?.rules, elsewhere);
});
