/** What is never shown, whatever comes in: somebody else's markup, tokens, national identity numbers. And what is read at most. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as fc from "fast-check";
import { shown } from "../src/pages/parts.ts";
import { consoleWith, doubleOf, folderWith, isPage, issuerOf, mainOf, manifest, now, signer } from "./kit.ts";
import type { Console } from "./kit.ts";

const evil = `"><img src=x onerror=alert(1)><svg/onload=alert(2)>'\``;
const person = "17858430038";
type Signer = Awaited<ReturnType<typeof signer>>;
type Double = Awaited<ReturnType<typeof doubleOf>>;
let provider: Signer;
let tokenx: Double;
let issuer: Double;
let sick: Double;
let folder: Awaited<ReturnType<typeof folderWith>>;
let on: Console;
let jwt = "";

/** A page without anything that came from elsewhere as markup. */
function isHarmless(answer: Parameters<typeof mainOf>[0], status?: number): void {
  isPage(answer, status ?? answer.status);
  const main = mainOf(answer);
  assert.ok(!main.includes("<img src=x") && !main.includes("<svg/onload"), main.slice(0, 2_000));
}

before(async () => {
  provider = await signer();
  jwt = await provider.sign({ iss: "https://inside.example", sub: "s", exp: now });
  const decision = {
    ...{ id: "abcdefgh01", outcome: "deny", reason: evil, actor: evil, target: `b ${evil}`, grant: evil },
    ...{ explanation: `${evil} ${person} ${jwt}`, owner: evil, rule: { file: evil, line: 3 } },
    fix: { file: evil, line: 4, yaml: `spec: ${evil} ${person}` },
  };
  const record = {
    ...{ at: now, outcome: evil, actor: evil, target: evil, error: evil, description: `${evil} ${jwt}` },
    ...{ decision, correlation_id: evil },
  };
  const refused = { ...record, decision: undefined, description: `for ${person}` };
  tokenx = await doubleOf(({ pathname }) => ({
    body: pathname === "/decisions" ? { decisions: [record, refused] } : record,
  }));
  issuer = await issuerOf(provider.publicJwk);
  sick = await doubleOf(() => ({
    status: 503,
    body: { checks: { [evil]: { ok: false, detail: evil } } },
  }));
  const text = manifest("api", ["*"]).replace("team: benefits", `team: ${JSON.stringify(evil)}`);
  folder = await folderWith({
    "api.yaml": text,
    "bad.yaml": manifest("bad").replace(
      "tokenx:",
      `${JSON.stringify(evil)}: 1\n  tokenx: ${JSON.stringify(evil)}\n  t:`,
    ),
  });
  on = await consoleWith({
    PORTVAKT_CONSOLE_MANIFESTS: folder.path,
    PORTVAKT_CONSOLE_TOKENX_URL: tokenx.url,
    PORTVAKT_CONSOLE_READER_JWK: JSON.stringify(provider.privateJwk),
    PORTVAKT_CONSOLE_ISSUERS: JSON.stringify([{ wellKnownUrl: `${issuer.url}/metadata` }]),
    PORTVAKT_CONSOLE_SERVERS_FILE: join(folder.path, "servers.json"),
  });
  await folder.write(
    "servers.json",
    JSON.stringify([
      { name: evil.slice(0, 99), ready: sick.url, address: "http://a.example/?<img src=x>" },
      { name: "x", application: "local:benefits:api", ready: sick.url },
    ]),
  );
});
after(async () => {
  await on.close();
  await Promise.all([tokenx.close(), issuer.close(), sick.close(), folder.remove()]);
});

describe("markup of others stays text", () => {
  const q = encodeURIComponent(evil);
  for (const path of [
    ...[
      "/",
      `/?q=${q}`,
      "/applications/local:benefits:api",
      `/applications/${q}`,
      "/graph",
      `/graph?focus=${q}`,
    ],
    ...["/decisions", `/decisions?application=${q}&outcome=${q}`, "/decisions/abcdefgh01", `/decisions/${q}`],
    ...[
      `/access?from=${q}&to=${q}&scope=${q}`,
      `/access?from=api&to=local:benefits:api&scope=${q}`,
      `/explain/${q}`,
      `/${q}`,
    ],
  ]) {
    test(path.replaceAll(q, "<evil>"), async () => isHarmless(await on.get(path)));
  }

  test("in what is posted, and in a token's claims and header", async () => {
    for (const path of ["/explain", "/token"]) {
      isHarmless(await on.post(path, evil), 422);
      const raw = await provider.sign({ iss: evil, [evil]: evil, nested: { [evil]: [evil] } });
      isHarmless(await on.post(path, raw), 200);
    }
  });

  test("in the picture", async () => {
    const { text } = await on.get(`/graph.svg?focus=${q}`);
    assert.ok(!text.includes("<img"));
  });

  test("whatever is asked for", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary", maxLength: 60 }), async (text) => {
        const word = encodeURIComponent(`<b>${text}`.toWellFormed());
        for (const path of [`/?q=${word}`, `/access?from=${word}&to=api`, `/explain/${word}`]) {
          const answer = await on.get(path);
          assert.ok(answer.status < 500, path);
          assert.ok(!mainOf(answer).includes("<b>"), path);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("a token", () => {
  const claims = (): Record<string, unknown> => ({
    ...{
      iss: issuer.url,
      sub: `no:${person}`,
      pid: person,
      aud: "local:benefits:api",
      iat: now - 5,
      exp: now + 300,
    },
    ...{ jti: "j-1", inner: { token: jwt, person: "178584 30038" }, act: { sub: "local:benefits:portal" } },
  });

  test("is told in words and verified; it is neither in the page nor in the log, nor is who it is for", async () => {
    for (const path of ["/token", "/explain"]) {
      const raw = await provider.sign(claims());
      const answer = await on.post(path, `Bearer ${raw}`);
      isPage(answer);
      const main = mainOf(answer);
      for (const words of [
        /Valid: signed by its issuer/u,
        /whom it is for|who issued it/u,
        /ends in 5 min|ends in 300 s/u,
        /local:benefits:portal/u,
        /applications\/local%3Abenefits%3Aapi/u,
      ])
        assert.match(main, words);
      const everything = answer.text + on.logged.join("");
      for (const secret of [raw, raw.split(".")[2] ?? raw, jwt, person, "178584 30038"])
        assert.ok(!everything.includes(secret), secret);
    }
  });

  test("that does not hold is called so, with the cause", async () => {
    const expired = await provider.sign({ ...claims(), exp: now - 600 });
    assert.match(mainOf(await on.post("/token", expired)), /Not valid: .*expired.*Whose move/u);
    const [head, body] = (await provider.sign(claims())).split(".");
    assert.match(mainOf(await on.post("/token", `${head}.${body}.AAAA`)), /Not valid: /u);
    const foreign = await (await signer()).sign({ ...claims(), iss: "https://unknown.example" });
    assert.match(mainOf(await on.post("/token", foreign)), /Not verified: nobody here knows its issuer/u);
  });

  test("in an address is not looked at: only forms that are posted are", async () => {
    const raw = await provider.sign(claims());
    const { text } = await on.get(`/token?what=${raw}`);
    assert.doesNotMatch(text, /Claims/u);
    assert.ok(!text.includes(raw));
  });
});

describe("a code or a decision that is posted", () => {
  for (const [what, words] of [
    ["AADSTS501051", /does not admit this application/u],
    ['{"error":"invalid_target","error_description":"x","decision_id":"abcdefgh01"}', /Decision abcdefgh01/u],
    ["MP-200", /MP-200/u],
  ] as const) {
    test(what, async () => assert.match(mainOf(await on.post("/explain", what)), words));
  }
});

describe("what is read at most", () => {
  test("a form of more than 64 KiB is refused with a page", async () => {
    isPage(await on.post("/token", "x".repeat(70_000)), 413);
  });
  test("a body that is no form is refused with a page", async () => {
    isPage(await on.post("/token", "x", { "content-type": "application/json" }), 415);
  });
  test("headers of more than 32 KiB never reach the console", async () => {
    assert.equal((await fetch(`${on.url}/?q=${"x".repeat(40_000)}`)).status, 431);
  });
  test("a long name is cut", async () => {
    const { text } = await on.get(`/explain/${"x".repeat(5_000)}`);
    assert.ok(!text.includes("x".repeat(400)));
  });
});

describe("shown", () => {
  for (const [text, expected] of [
    ["born 17858430038.", "born •••••• •••••."],
    ["178584 30038", "•••••• •••••"],
    ["1750000000", "1750000000"],
    ["123456789012", "123456789012"],
    ["an eyJhbGciOiJub25lIn0.eyJhIjoxfQ.sig here", "an [jwt] here"],
    ["the token expired 5 s ago", "the token expired 5 s ago"],
  ] as const) {
    test(text, () => assert.equal(shown(text), expected));
  }
});
