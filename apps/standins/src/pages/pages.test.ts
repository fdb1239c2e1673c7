import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { ProtocolError } from "@portvakt/oauth";
import { errorPage } from "./error.ts";
import { formPostPage } from "./form-post.ts";
import { homePage } from "./home.ts";
import { themes } from "./layout.ts";
import { signInPage } from "./sign-in.ts";
import { signedOutPage } from "./signed-out.ts";
import { pickLocale, texts, asLocale } from "./texts.ts";

const nasty = `"><script>alert(1)</script>`;
const request = new Request("http://localhost/");
const pages: [name: string, page: () => Promise<Response>][] = [
  [
    "sign-in",
    () =>
      signInPage(themes.idporten, {
        locale: "nb",
        pending: nasty,
        action: "/signin",
        client: nasty,
        hint: nasty,
        claims: undefined,
        problem: nasty,
        choices: [
          { id: nasty, name: nasty, about: { nb: nasty, en: nasty }, detail: nasty, blocked: undefined },
        ],
      }),
  ],
  [
    "edit claims",
    () =>
      signInPage(themes.entra, {
        locale: "en",
        pending: "p",
        action: "/signin",
        client: nasty,
        hint: undefined,
        editing: nasty,
        claims: { [nasty]: `</textarea>${nasty}` },
        choices: [],
      }),
  ],
  ["form post", () => formPostPage(themes.entra, `https://app.example/?a=${nasty}`, { [nasty]: nasty })],
  [
    "signed out",
    () =>
      signedOutPage(themes.idporten, {
        locale: "nb",
        frames: [`https://app.example/?x=${nasty}`],
        next: `https://app.example/?y=${nasty}`,
      }),
  ],
  ["error", () => errorPage(themes.entra, new ProtocolError("invalid_request", nasty), request)],
  ["home", () => homePage(themes.maskinporten, { issuer: nasty }, request)],
];

describe("every page", () => {
  for (const [name, make] of pages) {
    test(`${name}: strangers' text stays text, and only what the policy's hashes name may run or style`, async () => {
      const response = await make();
      const html = await response.text();
      assert.equal(html.includes(nasty), false);
      assert.equal(html.includes("<script>alert"), false);
      const policy = response.headers.get("content-security-policy") ?? "";
      assert.match(policy, /^default-src 'none';/);
      assert.match(policy, /frame-ancestors 'none'/);
      for (const kind of ["style", "script"]) {
        const texts = [...html.matchAll(new RegExp(`<${kind}>([^]*?)</${kind}>`, "g"))].map(
          ([, text = ""]) => text,
        );
        for (const text of texts)
          assert.ok(policy.includes(`sha256-${createHash("sha256").update(text).digest("base64")}`), kind);
      }
      assert.doesNotMatch(html, / (?:style|on[a-z]+)="/);
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.match(html, /Stand-in,/);
      assert.match(html, /<html lang="(?:nb|en)">/);
      assert.match(html, /<main>[^]*<h1>/);
    });
  }
});

describe("the language", () => {
  const cases: [name: string, ui: string[], header: string | null, locale: string][] = [
    ["Norwegian when nothing is said", [], null, "nb"],
    ["ui_locales before the browser's", ["en"], "nb", "en"],
    ["Norwegian for nn and se, where the pages have neither", ["nn"], "en", "nb"],
    ["the browser's first known", [], "sv-SE,en-GB;q=0.8,nb;q=0.5", "en"],
  ];
  for (const [name, ui, header, locale] of cases)
    test(name, () => assert.equal(pickLocale(ui, header), locale));
  test("ID-porten speaks four languages, and a language that it does not know is nb", () => {
    const { locales } = themes.idporten;
    for (const locale of ["nb", "nn", "en", "se"] as const) {
      assert.equal(pickLocale([locale], null, locales), locale);
      assert.equal(asLocale(locale), locale);
    }
    assert.equal(pickLocale(["fr"], "de", locales), "nb");
    assert.equal(asLocale("toString"), undefined);
  });
  test("no text is empty", () => {
    for (const locale of ["nb", "nn", "en", "se"] as const)
      for (const text of Object.values(texts[locale])) assert.notEqual(text.trim(), "");
  });
});
