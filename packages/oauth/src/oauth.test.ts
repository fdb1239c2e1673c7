import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { ProtocolError, createPkce, equalConstantTime, parseForm, printable, verifyPkce } from "./index.ts";

describe("parseForm", () => {
  const refused: readonly { name: string; body: string; says: RegExp }[] = [
    { name: "RFC 6749 section 3.2: a parameter twice", body: "a=1&b=2&a=3", says: /parameter a is repeated/ },
    { name: "a parameter twice with the same value", body: "a=1&a=1", says: /repeated/ },
    {
      name: "101 parameters",
      body: Array.from({ length: 101 }, (_, i) => `p${i}=1`).join("&"),
      says: /more than 100/,
    },
    {
      name: "thirty thousand that are hard to decode, by their number alone",
      body: "%&".repeat(30_000),
      says: /more than 100/,
    },
    { name: "65 kB", body: `a=${"x".repeat(65_536)}`, says: /too large/ },
  ];
  for (const { name, body, says } of refused) {
    test(`refuses ${name}`, () => {
      assert.throws(
        () => parseForm(body),
        (e) => e instanceof ProtocolError && e.error === "invalid_request" && says.test(e.description),
      );
    });
  }
  test("RFC 6749 section 3.2: a parameter without a value counts as absent", () => {
    const form = parseForm("a=&b=1");
    assert.equal(form.one("a"), undefined);
    assert.deepEqual(form.names(), ["b"]);
  });
  test("reads what URLSearchParams reads, however it is written", () => {
    const piece = fc.oneof(
      fc.constantFrom(
        "a",
        "&",
        "=",
        "+",
        "%",
        "%2",
        "%41",
        "%C3%A5",
        "%E2%28",
        "%ED%A0%80",
        "%00",
        "?",
        "#",
        "\ud800",
      ),
      fc.string({ unit: "binary", maxLength: 3 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join("");
        const oracle = new URLSearchParams(text);
        const names = [...new Set(oracle.keys())];
        const form = parseForm(text, { repeatable: names });
        for (const name of names)
          assert.deepEqual(
            form.all(name),
            oracle.getAll(name).filter((value) => value !== ""),
          );
        assert.deepEqual(
          form.names(),
          names.filter((name) => oracle.getAll(name).some((value) => value !== "")),
        );
      }),
      { numRuns: 500 },
    );
  });
  test("keeps the order of a repeatable parameter", () => {
    assert.deepEqual(parseForm("r=1&r=2&r=", { repeatable: ["r"] }).all("r"), ["1", "2"]);
  });
});

test("equalConstantTime agrees with ===", () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.string(),
      (a, b) => equalConstantTime(a, b) === (a === b) && equalConstantTime(a, a),
    ),
  );
});

test("printable never lets control characters or long text through", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) =>
      /^[\x20-\x7e]{0,64}$/.test(printable(text)),
    ),
  );
});

describe("RFC 7636: PKCE", () => {
  test("appendix B", async () => {
    const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert.equal(await verifyPkce(verifier, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"), true);
  });
  test("a made pair fits, another verifier does not", async () => {
    const [one, two] = await Promise.all([createPkce(), createPkce()]);
    assert.equal(await verifyPkce(one.verifier, one.challenge), true);
    assert.equal(await verifyPkce(two.verifier, one.challenge), false);
    assert.equal(await verifyPkce(one.verifier.slice(0, 42), one.challenge), false);
  });
});
