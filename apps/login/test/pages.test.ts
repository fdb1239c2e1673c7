import { after, before, describe, test } from "node:test";
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { chooserPage, errorPage } from "../src/pages/page.ts";
import type { Trouble } from "../src/pages/texts.ts";

const troubles: readonly Trouble[] = [
  "failed",
  "cancelled",
  "expired",
  "unavailable",
  "too_many",
  "bad_request",
  "upstream",
];
const choices = [
  { title: "ID-porten", href: "/oauth2/login?provider=idporten" },
  { title: "Entra ID", href: "/oauth2/login?provider=entra" },
];

/** Every page that there is, in one language. */
function pagesIn(acceptLanguage: string): [string, Response][] {
  const pages = troubles.map((trouble): [string, Response] => [
    trouble,
    errorPage({
      status: 500,
      trouble,
      acceptLanguage,
      correlationId: "0d5b2c1e-6f1a-4f6e-9a35-7a1c8f0d1234",
      retry: trouble === "bad_request" ? undefined : "/oauth2/login",
      home: "/",
    }),
  ]);
  return [...pages, ["chooser", chooserPage({ acceptLanguage, choices })]];
}

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

describe("WCAG 2.2 AA: axe finds nothing on the proxy's pages, light or dark, and nothing is cut off at 320 pixels", () => {
  let browser: Browser | undefined;
  let page: Page;
  let axe = "";
  before(async () => {
    const executablePath = process.env["PORTVAKT_TEST_CHROMIUM"];
    assert.ok(executablePath, "PORTVAKT_TEST_CHROMIUM is not set: name a Chromium there, or run npm test");
    axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];
    browser = await chromium.launch({ executablePath, args });
    // Without JavaScript of its own, as promised: only what the test evaluates runs.
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
  });
  after(() => browser?.close());

  for (const language of ["nb", "nn", "en", "se"]) {
    test(language, async () => {
      for (const [name, response] of pagesIn(language)) {
        const text = await response.text();
        assert.ok(!/<script|javascript:|\son\w+=/iu.test(text), "no script");
        await page.setContent(text);
        assert.equal(await page.getAttribute("html", "lang"), language);
        await page.evaluate(axe);
        for (const colorScheme of ["dark", "light"] as const) {
          await page.emulateMedia({ colorScheme });
          const { violations } = await page.evaluate<AxeResults>("axe.run()");
          const found = violations.map(
            ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`,
          );
          assert.deepEqual(found, [], `${name}, ${colorScheme}`);
        }
        for (const width of [320, 1280]) {
          await page.setViewportSize({ width, height: 800 });
          const wider = await page.evaluate<boolean>(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth",
          );
          assert.equal(wider, false, `${name} at ${width} pixels`);
          const folder = process.env["PORTVAKT_SCREENSHOTS"];
          if (folder === undefined) continue;
          await mkdir(folder, { recursive: true });
          await page.screenshot({ path: join(folder, `login-${name}-${language}-${width}.png`) });
        }
      }
    });
  }
});
