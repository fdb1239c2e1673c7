import assert from "node:assert/strict";
import crypto, { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { describe, test } from "node:test";
import type { JWK } from "jose";
import { Fault } from "../errors.ts";
import type { SignatureAlgorithm } from "./algorithms.ts";
import { generatePrivateJwk, publicJwkOf } from "./keys.ts";
import * as onNode from "./signature.ts";

const getBuiltinModule = process.getBuiltinModule.bind(process);

/** The same module, loaded where the runtime has other modules of its own to give. */
async function loadedWith(name: string, given: unknown): Promise<typeof onNode> {
  Object.assign(process, { getBuiltinModule: given });
  const specifier = `./signature.ts?${name}`;
  const loaded = (await import(specifier)) as typeof onNode;
  Object.assign(process, { getBuiltinModule });
  return loaded;
}

const withCores = (count: number) => (id: string) =>
  id === "node:os" ? { availableParallelism: () => count } : getBuiltinModule(id);

const hosts = {
  "node:crypto and several cores": await loadedWith("several-cores", withCores(4)),
  "node:crypto and one core": await loadedWith("one-core", withCores(1)),
  WebCrypto: await loadedWith("web", undefined),
};
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

const ways = [
  { name: "several cores: on the thread pool", cores: 4, callback: true },
  {
    name: "one core, of which a thread would take its part: in a turn of the event loop",
    cores: 1,
    callback: false,
  },
];
for (const { name, cores, callback } of ways)
  test(`RSA signatures with ${name}`, async () => {
    const { importSigningKey } = await loadedWith(`spied-${cores}`, (id: string) =>
      id === "node:crypto" ? { ...crypto, sign: spied } : withCores(cores)(id),
    );
    const calls: boolean[] = [];
    function spied(...args: Parameters<typeof crypto.sign>): ReturnType<typeof crypto.sign> {
      calls.push(typeof args.at(-1) === "function");
      return crypto.sign(...args);
    }
    const key = await importSigningKey(await generatePrivateJwk("RS256"), "RS256");
    const signing = key.sign(data);
    await Promise.resolve();
    assert.deepEqual(calls, callback ? [true] : [], "whatever else is to be done comes first");
    await signing;
    assert.deepEqual(calls, [callback]);
  });

test("RFC 7518 section 3.4: an ECDSA signature is the two numbers, not DER", async () => {
  const jwk = await generatePrivateJwk("ES256");
  const signature = await (await onNode.importSigningKey(jwk, "ES256")).sign(data);
  assert.equal(signature.length, 64);
  const key = createPublicKey({ key: publicJwkOf(jwk) as object, format: "jwk" } as never);
  assert.equal(verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, signature), true);
});
