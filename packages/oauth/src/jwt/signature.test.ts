import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, test } from "node:test";
import type { JWK } from "jose";
import { Fault } from "../errors.ts";
import type { SignatureAlgorithm } from "./algorithms.ts";
import { generatePrivateJwk, publicJwkOf } from "./keys.ts";
import * as onNode from "./signature.ts";

/** The same module, loaded where the runtime has no node:crypto to give. */
async function withoutNodeCrypto(): Promise<typeof onNode> {
  const getBuiltinModule = process.getBuiltinModule.bind(process);
  Object.assign(process, { getBuiltinModule: undefined });
  const specifier = "./signature.ts?web";
  const loaded = (await import(specifier)) as typeof onNode;
  Object.assign(process, { getBuiltinModule });
  return loaded;
}

const hosts = { "node:crypto": onNode, WebCrypto: await withoutNodeCrypto() };
const data = new TextEncoder().encode("header.payload");
const algorithms: readonly SignatureAlgorithm[] = [
  "RS256",
  "RS512",
  "PS256",
  "PS384",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

for (const [host, { importSigningKey, importVerificationKey }] of Object.entries(hosts)) {
  describe(`signatures by ${host}`, () => {
    for (const alg of algorithms) {
      test(`${alg}: verified by the other host too, and by nothing that changed`, async () => {
        const jwk = await generatePrivateJwk(alg);
        const signature = await (await importSigningKey(jwk, alg)).sign(data);
        for (const other of Object.values(hosts)) {
          const key = await other.importVerificationKey(publicJwkOf(jwk), alg);
          assert.equal(await key.verify(data, signature), true);
          assert.equal(await key.verify(new Uint8Array([...data, 1]), signature), false);
          assert.equal(
            await key.verify(
              data,
              signature.map((byte, i) => (i === 5 ? byte ^ 1 : byte)),
            ),
            false,
          );
          assert.equal(await key.verify(data, new Uint8Array()), false);
        }
      });
    }

    const refused: readonly { name: string; jwk: () => JWK | Promise<JWK>; alg: SignatureAlgorithm }[] = [
      {
        name: "RFC 7518 section 3.3: RSA with 1024 bits",
        jwk: () => generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export({ format: "jwk" }),
        alg: "RS256",
      },
      {
        name: "RFC 8725 section 3.1: an EC key for RS256",
        jwk: () => generatePrivateJwk("ES256"),
        alg: "RS256",
      },
      {
        name: "RFC 8725 section 3.1: a P-256 key for ES384",
        jwk: () => generatePrivateJwk("ES256"),
        alg: "ES384",
      },
      {
        name: "RFC 8725 section 3.4: a point that is not on the curve",
        jwk: async () => ({ ...(await generatePrivateJwk("ES256")), y: "AAAA" }),
        alg: "ES256",
      },
    ];
    for (const { name, jwk, alg } of refused) {
      test(`refuses ${name}, without quoting the key`, async () => {
        const key = await jwk();
        const isFault = (e: unknown) =>
          e instanceof Fault &&
          e.code === "bad_key" &&
          !JSON.stringify([e.message, e.cause]).includes(String(key.d));
        await assert.rejects(importSigningKey(key, alg), isFault);
        await assert.rejects(importVerificationKey(key, alg), isFault);
      });
    }
  });
}

test("RFC 7518 section 3.4: an ECDSA signature is the two numbers, not DER", async () => {
  const jwk = await generatePrivateJwk("ES256");
  const signature = await (await onNode.importSigningKey(jwk, "ES256")).sign(data);
  assert.equal(signature.length, 64);
  const key = createPublicKey({ key: publicJwkOf(jwk) as object, format: "jwk" } as never);
  assert.equal(verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, signature), true);
});
