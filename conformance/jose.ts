// Signed tokens: JWS, JWK, JWT, and the best current practice for them.

import { createHmac } from "node:crypto";
import { anyAudience, localKeySet, verifyJwt } from "@portvakt/oauth";
import type { VerifyResult } from "@portvakt/oauth";
import {
  accepted,
  accessTokenClaims,
  at,
  refused,
  rules,
  signer,
  stranger,
  token,
  unsigned,
  verify,
} from "./subjects.ts";
import type { Specification } from "./table.ts";

// RFC 7515 appendix A.3 and A.2: example tokens of "joe", valid until this second.
const joesExp = 1_300_819_380;
const joesClaims =
  "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const es256 = {
  jwk: {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
  },
  token: `eyJhbGciOiJFUzI1NiJ9.${joesClaims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
};
const rs256 = {
  jwk: {
    kty: "RSA",
    n: "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    e: "AQAB",
  },
  token: `eyJhbGciOiJSUzI1NiJ9.${joesClaims}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
};

async function joesToken(example: typeof es256 | typeof rs256, seconds: number): Promise<VerifyResult> {
  const joes = { issuer: "joe", keys: localKeySet([example.jwk]), required: ["iss", "exp"] };
  return verifyJwt(example.token, { ...rules, ...joes, audience: anyAudience }, () => seconds);
}

const hmacWith = (input: string, secret: string): string =>
  createHmac("sha256", secret).update(input).digest("base64url");

export const rfc7515: Specification = {
  name: "RFC 7515",
  title: "JSON Web Signature",
  requirements: [
    {
      section: "A.2",
      level: "must",
      says: "the example signed with RS256 verifies",
      run: async () => accepted(await joesToken(rs256, joesExp - 1)),
    },
    {
      section: "A.3",
      level: "must",
      says: "the example signed with ES256 verifies",
      run: async () => accepted(await joesToken(es256, joesExp - 1)),
    },
    {
      section: "4.1.11",
      level: "must",
      says: "a critical header that is not understood is refused",
      run: async () => refused(await verify(await token({}, { crit: ["exp"], exp: 1 })), "critical_header"),
    },
    {
      section: "4.1.11",
      level: "must",
      says: "an empty list of critical headers is refused",
      run: async () => refused(await verify(await token({}, { crit: [] })), "critical_header"),
    },
    {
      section: "5.2",
      level: "must",
      says: "a signature by another key is refused",
      run: async () =>
        refused(
          await verify(await token(), { keys: localKeySet([{ ...stranger.publicJwk, kid: signer.kid }]) }),
          "bad_signature",
        ),
    },
    {
      section: "5.2",
      level: "must",
      says: "a changed payload is refused",
      run: async () => {
        const [header, , signature] = (await token()).split(".");
        const claims = Buffer.from(JSON.stringify({ ...accessTokenClaims, sub: "admin" })).toString(
          "base64url",
        );
        refused(await verify(`${header}.${claims}.${signature}`), "bad_signature");
      },
    },
    {
      section: "5.2",
      level: "must",
      says: "a token without its signature is refused",
      run: async () =>
        refused(await verify(`${(await token()).split(".").slice(0, 2).join(".")}.`), "bad_signature"),
    },
    {
      section: "2",
      level: "must",
      says: "padding and characters outside base64url are refused",
      run: async () => refused(await verify(`${await token()}=`), "malformed"),
    },
  ],
};

export const rfc7519: Specification = {
  name: "RFC 7519",
  title: "JSON Web Token",
  requirements: [
    {
      section: "4.1.1",
      level: "must",
      says: "iss is compared exactly: a slash at the end is another issuer",
      run: async () =>
        refused(await verify(await token({ iss: `${accessTokenClaims.iss}/` })), "wrong_issuer"),
    },
    {
      section: "4.1.3",
      level: "must",
      says: "a token for another audience is refused",
      run: async () => refused(await verify(await token({ aud: "another" })), "wrong_audience"),
    },
    {
      section: "4.1.3",
      level: "must",
      says: "one of several audiences is enough",
      run: async () => accepted(await verify(await token({ aud: ["another", "api"] }))),
    },
    {
      section: "4.1.3",
      level: "must",
      says: "part of an audience is no audience",
      run: async () => refused(await verify(await token({ aud: "api2" })), "wrong_audience"),
    },
    {
      section: "4.1.4",
      level: "must",
      says: "at or after exp the token is refused",
      run: async () => refused(await verify(await token({ exp: at }), { toleranceSeconds: 0 }), "expired"),
    },
    {
      section: "4.1.4",
      level: "must",
      says: "a second before exp it is accepted",
      run: async () => accepted(await verify(await token({ exp: at + 1 }), { toleranceSeconds: 0 })),
    },
    {
      section: "4.1.4",
      level: "may",
      says: "some leeway for clocks that differ, 10 s and no more",
      run: async () => {
        accepted(await verify(await token({ exp: at - 9 })));
        refused(await verify(await token({ exp: at - 10 })), "expired");
      },
    },
    {
      section: "4.1.5",
      level: "must",
      says: "before nbf the token is refused",
      run: async () => refused(await verify(await token({ nbf: at + 60 })), "not_yet_valid"),
    },
    {
      section: "2",
      level: "must",
      says: "a time that is no number is refused",
      run: async () => refused(await verify(await token({ exp: "later" as never })), "malformed_claim"),
    },
    {
      section: "7.2",
      level: "must",
      says: "what is no JWT is refused",
      run: async () => refused(await verify("hello"), "malformed"),
    },
  ],
};

export const rfc8725: Specification = {
  name: "RFC 8725",
  title: "JSON Web Token best current practices",
  requirements: [
    {
      section: "3.1",
      level: "must",
      says: "an algorithm that the verifier did not choose is refused",
      run: async () => refused(await verify(await token(), { algorithms: ["RS256"] }), "alg_not_allowed"),
    },
    {
      section: "3.1",
      level: "must",
      says: "a key serves the algorithm that it was published for, and no other",
      run: async () => {
        const keys = localKeySet([{ ...signer.publicJwk, alg: "ES384" }]);
        refused(await verify(await token(), { keys }), "unknown_key");
      },
    },
    {
      section: "2.1",
      level: "must",
      says: "HS256 with the public key as its secret is refused",
      run: async () => {
        const input = unsigned({ alg: "HS256", kid: signer.kid }, accessTokenClaims).slice(0, -1);
        refused(
          await verify(`${input}.${hmacWith(input, JSON.stringify(signer.publicJwk))}`),
          "alg_not_allowed",
        );
      },
    },
    {
      section: "3.2",
      level: "must",
      says: "alg none is refused, however it is written",
      run: async () => {
        for (const alg of ["none", "None", "NONE", "nOnE"])
          refused(await verify(unsigned({ alg }, accessTokenClaims)), "alg_not_allowed");
      },
    },
    {
      section: "3.8",
      level: "must",
      says: "the issuer's own keys verify, not anybody's",
      run: async () => refused(await verify(await token({ iss: "https://other.example" })), "wrong_issuer"),
    },
    {
      section: "3.9",
      level: "must",
      says: "a token without an audience is refused",
      run: async () => {
        const { aud: _, ...claims } = accessTokenClaims;
        refused(await verify(await signer.sign(claims)), "wrong_audience");
      },
    },
    {
      section: "3.10",
      level: "must",
      says: "a key that the token brings or points to is not used",
      run: async () => {
        const own = { ...stranger.publicJwk };
        for (const header of [
          { jwk: own },
          { jku: "https://evil.example/jwks" },
          { x5u: "https://evil.example/x" },
          { x5c: ["MIIB"] },
        ])
          refused(await verify(await token({}, header)), "embedded_key");
      },
    },
    {
      section: "3.11",
      level: "should",
      says: "a token of another explicit type is refused",
      run: async () => {
        for (const typ of ["logout+jwt", "dpop+jwt", "application/client-authentication+jwt"])
          refused(await verify(await token({}, { typ })), "typ_not_allowed");
      },
    },
    {
      section: "3.12",
      level: "must",
      says: "one kind of token is not taken for another: at+jwt only, where that is asked for",
      run: async () => {
        accepted(await verify(await token({}, { typ: "at+jwt" }), { typ: ["at+jwt"] }));
        refused(await verify(await token(), { typ: ["at+jwt"] }), "typ_not_allowed");
      },
    },
  ],
};
