// The console of the demo in a real Chromium: on every page axe finds nothing, light and dark, and nothing is cut off on a
// narrow screen; and without JavaScript everything works that can be done there.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { portvakt, startDemo } from "../demo/platform.ts";
import type { Demo } from "../demo/platform.ts";
import { accessible, launch, look, visitor } from "./driving.ts";

let demo: Demo;
let browser: Browser;
/** A decision of TokenX against portal. */
let refused = "";

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
  await demo.prints(/console {2}it is up: http/u);
  const asked = ["--as", "portal", "--user", "kari", "--state", demo.folder];
  assert.equal((await portvakt("token", "--to", "application-api", ...asked)).code, 0);
  const { stderr } = await portvakt("token", "--to", "income-register", ...asked);
  refused = /explain ([0-9a-z]{10})/u.exec(stderr)?.[1] ?? "";
  assert.notEqual(refused, "", stderr);
});

after(async () => {
  await browser.close();
  assert.equal(await demo.interrupt(), 0);
});

async function token(): Promise<string> {
  const { stdout } = await portvakt(
    ...["token", "--as", "portal", "--to", "application-api", "--user", "kari", "-q", "--state", demo.folder],
  );
  return stdout.trim();
}

describe("every page", () => {
  const pages: readonly [name: string, path: () => string, says: RegExp][] = [
    ["overview", () => "/", /8 applications/u],
    [
      "application",
      () => "/applications/local:benefits:application-api",
      /examples\/application-api\/app\.yaml/u,
    ],
    ["graph", () => "/graph", /application-api/u],
    ["decisions", () => "/decisions", /no rule/u],
    ["decision", () => `/decisions/${refused}`, /examples\/income-register\/app\.yaml:\d+/u],
    ["may", () => "/access?from=portal&to=application-api", /^Yes/mu],
    ["may-not", () => "/access?from=snoop&to=case-api", /^No:/mu],
    ["explain", () => "/explain", /Refusal of Entra ID/u],
    ["code", () => "/explain/AADSTS501051", /The target does not admit this application/u],
    ["token", () => "/token", /neither kept nor logged/u],
    ["not-found", () => "/nothing", /no such page/u],
  ];
  for (const [name, path, says] of pages) {
    test(`${name} can be used by everybody`, async () => {
      const { context, page, errors } = await visitor(browser);
      await page.goto(`${demo.state.console}${path()}`);
      assert.match(await page.innerText("main"), says);
      for (const details of await page.locator("details").all()) await details.locator("summary").click();
      await accessible(page);
      await look(page, `console-${name}`);
      assert.equal(await page.locator("script").count(), 0);
      assert.deepEqual(
        errors.filter((error) => !/nothing: .*404/u.test(error)),
        [],
      );
      await context.close();
    });
  }

  test("a token in words can be used by everybody, and neither the token nor the citizen's number is there", async () => {
    const { context, page, errors } = await visitor(browser);
    const raw = await token();
    await page.goto(`${demo.state.console}/token`);
    await page.fill("textarea", raw);
    await page.click("main button");
    await page.waitForSelector("h2:text('Claims')");
    assert.match(await page.innerText("main"), /Valid: signed by TokenX/u);
    const content = await page.content();
    assert.ok(!content.includes(raw) && !/\b\d{11}\b/u.test(content));
    await accessible(page);
    await look(page, "console-token-told");
    assert.deepEqual(errors, []);
    await context.close();
  });
});

describe("without JavaScript", () => {
  async function withoutScripts(use: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext({ javaScriptEnabled: false });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    await page.goto(demo.state.console);
    await use(page);
    await context.close();
  }
  const main = (page: Page): Promise<string> => page.innerText("main");

  test("from a refusal on the overview to the manifest line that would change it", () =>
    withoutScripts(async (page) => {
      await page.click(`a[href='/decisions/${refused}']`);
      assert.match(await main(page), /Add to examples\/income-register\/app\.yaml:\d+/u);
    }));

  test("from an application to the question whether another may call it", () =>
    withoutScripts(async (page) => {
      await page.click("th a:text('application-api')");
      await page.click("a:text('details')");
      assert.match(await main(page), /Yes: portal/u);
      await page.fill("#from", "snoop");
      await page.click("main button");
      assert.match(await main(page), /No: snoop/u);
    }));

  test("the picture is drawn, of the whole and around one application", () =>
    withoutScripts(async (page) => {
      await page.click("a:text('Graph')");
      await page.fill("#focus", "case-api");
      await page.click("main button");
      const { width } = (await page.locator(".picture img").boundingBox()) ?? { width: 0 };
      assert.ok(width > 200);
      assert.doesNotMatch(await main(page), /income-register/u);
    }));

  test("decisions by application and outcome", () =>
    withoutScripts(async (page) => {
      await page.click("nav a:text('Decisions')");
      await page.fill("#application", "portal");
      await page.selectOption("#outcome", "deny");
      await page.click("main button");
      assert.match(await main(page), /no rule/u);
      assert.equal(await page.locator("tbody tr").count(), 1);
    }));

  test("a whole answer is explained, and leads to its decision", () =>
    withoutScripts(async (page) => {
      await page.click("nav a:text('Explain')");
      await page.fill("textarea", `{"error":"invalid_target","decision_id":"${refused}"}`);
      await page.click("main button");
      assert.match(await main(page), /does not admit local:benefits:portal/u);
    }));
});
