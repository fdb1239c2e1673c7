import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { setFlagsFromString } from "node:v8";
import { scrub } from "./index.ts";
import { clean } from "./redact.ts";

const opaque = "hunter2-hunter2_hunter2";

describe("a text loses its secrets", () => {
  const texts: readonly string[] = [
    `Bearer ${opaque}`, `bearer ${opaque}`, `BEARER\t${opaque}`, `DPoP ${opaque}`, `Token ${opaque}`, `got token ${opaque} from it`,
    "Basic aHVudGVyMg==", "Bearer abchunter2", "Bearer HunterHunter", `the token ${opaque}.`, "token hunterhunterhunterhunterhunter",
    `Authorization: ${opaque}`, `authorization: Bearer ${opaque}`, "Authorization: Basic hunterhunter", `Proxy-Authorization: ${opaque}`, `DPoP: ${opaque}`,
    `Cookie: session=${opaque}; other=${opaque}`, `set-cookie: session=${opaque}; Path=/`, `"cookie":"session=${opaque}"`,
    `https://x.example/cb?code=${opaque}&state=${opaque}`, `access_token=${opaque}`, `x=1&client_secret=${opaque}`, `{password=${opaque}}`, "client_assertion=hunterhunter",
    `{"access_token":"${opaque}","x":1}`, `{"client_secret": "hunterhunter"}`, `{'refresh_token': '${opaque}'}`, `{"password":"hunter hunter"}`, `{"code":"hunterhunter"}`,
    "client_secret: hunterhunter", `refresh_token: ${opaque}`, `code_verifier: ${opaque}`,
    "password:hunterhunter", `authorization:${opaque}`, `redis://user:${opaque}@store:6379`, `postgres://hunter2:x@db/tokenx`,
  ]; // prettier-ignore
  for (const text of texts) it(text, () => assert.doesNotMatch(scrub(text), /hunter|SHVudGVy|aHVudGVy/i));
});

describe("a sentence stays as it is", () => {
  const sentences: readonly string[] = [
    "token expired 34 s ago", "the token endpoint answered 503", "Bearer token missing", "Basic authentication is not spoken here", "the DPoP proof lacks jti",
    "token exchange failed: invalid_grant", "token invalid_grant: the subject token is over", "invalid subject_token: more than 5 applications would have acted",
    "no token for local:benefits:application-api", "token API, token endpoint, token introspection.", "a bearer token that nobody has", "token type JWT", "token ERR_TIMEOUT",
    "assertion: expired", "the token was issued for another audience", "tokens 12 to 1234567", "Bearer authentication's error is invalid_token.", "cookie: too large",
    "PORTVAKT_LOGIN_REDIS_URI is not set", "GET https://x.example/jwks answered 200",
  ]; // prettier-ignore
  for (const text of sentences) it(text, () => assert.equal(scrub(text), text));
});

describe("what is left of a text with a secret", () => {
  const rows: readonly { text: string; left: string }[] = [
    { text: "failed: https://x.example/cb?code=abcdef&x=1", left: "failed: https://x.example/cb?code=[redacted]&x=1" },
    { text: "Bearer abc123.def expired 34 s ago", left: "Bearer [redacted] expired 34 s ago" },
    { text: '{"access_token":"abc","expires_in":30}', left: '{"access_token":"[redacted]","expires_in":30}' },
  ]; // prettier-ignore
  for (const { text, left } of rows) it(text, () => assert.equal(scrub(text), left));
});

describe("scrubbing", () => {
  it("takes no longer than the text is long, whatever is in it", () => {
    for (const piece of [
      "Bearer ",
      "token a-",
      "a_token: ",
      "cookie: a",
      '"code":',
      "x://",
      "eyJ",
      "client_secret: bearer ",
    ]) {
      const text = piece.repeat(Math.ceil(4000 / piece.length));
      const started = performance.now();
      for (let i = 0; i < 20; i++) scrub(text);
      assert.ok(performance.now() - started < 2000, piece);
    }
  });
});

describe("names of fields", () => {
  it("CWE-770: long ones, which only a client can have chosen, are judged each time and not remembered", () => {
    setFlagsFromString("--expose-gc");
    const collect = runInNewContext("gc") as () => void;
    const heapUsed = (): number => {
      // What is only cached goes in the second round.
      for (let round = 0; round < 3; round++) collect();
      return process.memoryUsage().heapUsed;
    };
    const before = heapUsed();
    for (let index = 0; index < 950; index++) {
      const name = `x-${index}-${"a".repeat(30_000)}-token`;
      assert.deepEqual(Object.values(clean({ [name]: opaque }) as object), ["[redacted]"]);
    }
    const grown = heapUsed() - before;
    assert.ok(grown < 5_000_000, `${grown} bytes`);
  });
});
