// Maskinporten: enterprise certificates, iss_onbehalfof, and changes of scopes that are on their way.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { decodeJwt } from "jose";
import type { RegistrationsInput, Standins } from "../src/index.ts";
import { authority, certificateFor, type Certificate } from "./certificates.ts";
import {
  assertion,
  clientJwks,
  clientPublicKey,
  discover,
  now,
  post,
  standins,
  type AssertionOptions,
} from "./kit.ts";

const jwtBearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const orgno = "889640782";

describe("Maskinporten, beyond keys by kid", () => {
  let idp: Standins;
  let endpoint: string;
  const start = now() - 86_400;
  const trusted = authority(start);
  const certificate = (
    subject: Parameters<typeof certificateFor>[1],
    by = trusted,
    from = start,
  ): Certificate => certificateFor(clientPublicKey, subject, by, from);
  const own = certificate({ CN: "Agency", organizationIdentifier: `NTRNO-${orgno}` });
  before(async () => {
    idp = await standins();
    idp.register({
      maskinporten: {
        clients: [
          { client_id: "by-certificate", orgno, scopes: ["tax:income.read"] },
          {
            client_id: "supplier",
            orgno,
            jwks: clientJwks,
            scopes: ["tax:income.read"],
            onbehalfof: [
              { id: "municipality", orgno: "310000001" },
              { id: "no-access", orgno: "310000002" },
            ],
          },
        ],
        certificate_authorities: [trusted.pem],
      },
    });
    endpoint = (await discover(idp.issuers.maskinporten, "oauth2")).token_endpoint ?? "";
  });
  after(() => idp.close());

  const ask = async (iss: string, options: AssertionOptions = {}) => {
    const usual = { iss, aud: idp.issuers.maskinporten, scope: "tax:income.read" };
    return post(endpoint, { grant_type: jwtBearer, assertion: await assertion(usual, options) });
  };
  const withChain = (x5c: unknown, more: AssertionOptions = {}) =>
    ask("by-certificate", { ...more, header: { kid: undefined, x5c, ...more.header } });

  for (const [name, subject] of Object.entries({
    organizationIdentifier: { CN: "Agency", organizationIdentifier: `NTRNO-${orgno}` },
    serialNumber: { CN: "Agency", serialNumber: orgno },
  }))
    test(`x5c: an enterprise certificate with ${name} is proof, and client_amr says so`, async () => {
      const { body } = await withChain([certificate(subject).base64]);
      const claims = decodeJwt(String(body["access_token"]));
      assert.equal(claims["client_amr"], "virksomhetssertifikat");
      assert.deepEqual(claims["consumer"], { authority: "iso6523-actorid-upis", ID: `0192:${orgno}` });
    });
  test("x5c: a chain over an intermediate authority", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const between = certificateFor(publicKey, { CN: "Between" }, trusted, start);
    const subject = certificateSubject("Between");
    const leaf = certificate({ serialNumber: orgno }, { ...trusted, subject, key: privateKey });
    assert.equal((await withChain([leaf.base64, between.base64])).status, 200);
    assert.match(String((await withChain([leaf.base64])).body["error_description"]), /MP-120/);
  });
  /** A subject of one CN, as certificates.ts writes it. */
  const certificateSubject = (cn: string): Buffer => {
    const text = Buffer.from(cn);
    const attribute = Buffer.concat([Buffer.from([0x06, 3, 0x55, 4, 3, 0x0c, text.length]), text]);
    const wrap = (tag: number, inner: Buffer) => Buffer.concat([Buffer.from([tag, inner.length]), inner]);
    return wrap(0x30, wrap(0x31, wrap(0x30, attribute)));
  };
  const refused: Record<string, { x5c: () => unknown; more?: AssertionOptions; says: RegExp }> = {
    "MP-120: an authority that is not trusted": {
      x5c: () => [certificate({ serialNumber: orgno }, authority(start)).base64],
      says: /MP-120/,
    },
    "MP-120: a certificate that has expired": {
      x5c: () => [certificate({ serialNumber: orgno }, trusted, start - 40_000_000).base64],
      says: /MP-120/,
    },
    "MP-120: a certificate of tomorrow": {
      x5c: () => [certificate({ serialNumber: orgno }, trusted, now() + 86_400).base64],
      says: /MP-120/,
    },
    "MP-122: another organisation's certificate": {
      x5c: () => [certificate({ serialNumber: "310000001" }).base64],
      says: /MP-122/,
    },
    "MP-123: text instead of an array": { x5c: () => own.base64, says: /MP-123/ },
    "MP-123: what is no certificate": { x5c: () => ["AAAA"], says: /MP-123/ },
    "MP-123: base64url": {
      x5c: () => [own.base64.replaceAll("+", "-").replaceAll("/", "_").replace(/^/, "_")],
      says: /MP-123/,
    },
    "MP-124: a signature by another key": {
      x5c: () => [own.base64],
      more: { key: "stranger" },
      says: /MP-124/,
    },
    "MP-011: kid and x5c at once": {
      x5c: () => [own.base64],
      more: { header: { kid: "client-key-1" } },
      says: /MP-011/,
    },
  };
  for (const [name, { x5c, more, says }] of Object.entries(refused))
    test(name, async () => {
      const { body, status } = await withChain(x5c(), more);
      assert.match(String(body["error_description"]), says);
      assert.equal(status >= 400, true);
    });
  test("MP-100: a client without keys that sends a kid", async () => {
    assert.match(String((await ask("by-certificate")).body["error_description"]), /MP-100/);
  });

  test("iss_onbehalfof: the registration names the organisation; the client is its supplier", async () => {
    const { body } = await ask("supplier", { claims: { iss_onbehalfof: "municipality" } });
    const claims = decodeJwt(String(body["access_token"]));
    assert.deepEqual(claims["consumer"], { authority: "iso6523-actorid-upis", ID: "0192:310000001" });
    assert.deepEqual(claims["supplier"], { authority: "iso6523-actorid-upis", ID: `0192:${orgno}` });
    assert.equal("delegation_source" in claims, false);
  });
  for (const [name, claims, says] of [
    ["MP-011: iss_onbehalfof that is not registered", { iss_onbehalfof: "stranger" }, /MP-011/],
    [
      "MP-011: iss_onbehalfof beside consumer_org",
      { iss_onbehalfof: "municipality", consumer_org: "310000001" },
      /MP-011/,
    ],
    ["MP-250: iss_onbehalfof of an organisation without access", { iss_onbehalfof: "no-access" }, /MP-250/],
  ] as const)
    test(name, async () => {
      assert.match(String((await ask("supplier", { claims })).body["error_description"]), says);
    });

  test("a change of scopes takes effect after the delay that was set", async () => {
    const scope = (consumers: string[]): RegistrationsInput => ({
      maskinporten: { scopes: [{ name: "tax:income.read", consumers }], scope_change_delay_seconds: 900 },
    });
    idp.register(scope([orgno]));
    idp.moveClock(2000);
    idp.register(scope([]));
    assert.equal((await ask("supplier", at(2000))).status, 200, "the owner's change is on its way");
    idp.moveClock(2000 + 901);
    assert.match(String((await ask("supplier", at(2901))).body["error_description"]), /MP-250/);
    idp.moveClock(0);
  });
  const at = (offset: number): AssertionOptions => {
    const iat = Math.floor(now()) + offset;
    return { claims: { iat, exp: iat + 60 } };
  };
});
