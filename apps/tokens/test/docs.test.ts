import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, describe, test } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { openApiDocument, type OpenApiDocument } from "../src/docs/openapi.ts";
import { docsPage } from "../src/docs/page.ts";
import { startApi, type Api } from "./api.ts";

const bound = { PORTVAKT_TOKENS_DPOP_PROVIDERS: "entra_id" };

test("the API describes itself in OpenAPI 3.1, by the schemas that check requests", async () => {
  await using api = await startApi();
  const document = (await (await fetch(`${api.url}/docs/openapi.json`)).json()) as OpenApiDocument & {
    openapi: string;
  };
  assert.equal(document.openapi, "3.1.0");
  const { paths, components } = document;
  assert.deepEqual(Object.keys(paths), ["/api/v1/token", "/api/v1/token/exchange", "/api/v1/introspect"]);
  const { content } = paths["/api/v1/token"]!.post.requestBody;
  assert.deepEqual(Object.keys(content), ["application/json", "application/x-www-form-urlencoded"]);
  assert.equal(content["application/json"]!.schema.$ref, "#/components/schemas/TokenRequest");
  const { required, properties } = components.schemas["TokenRequest"]!;
  assert.deepEqual(required, ["identity_provider", "target"]);
  const names = "identity_provider target resource authorization_details consumer_org pid skip_cache".split(
    " ",
  );
  assert.deepEqual(Object.keys(properties!), names);
  const referred = [...JSON.stringify(document).matchAll(/#\/components\/schemas\/(\w+)/g)];
  for (const [, name = ""] of referred) assert.ok(Object.hasOwn(components.schemas, name), name);
});

test("the example of each endpoint is a request that it takes", async () => {
  await using api = await startApi({ env: bound });
  const document = (await (await fetch(`${api.url}/docs/openapi.json`)).json()) as OpenApiDocument;
  for (const [path, { post }] of Object.entries(document.paths)) {
    const { example } = post.requestBody.content["application/json"]!;
    const { status, body } = await api.post(path, example);
    const said = JSON.stringify(body);
    // The token in it is none, which only who reads it can say.
    assert.ok(status === 200 || /user_token is not a JWT/.test(said), `${path}: ${status} ${said}`);
  }
});

test("an endpoint that no provider serves for this application says so instead of having a form", () => {
  const { body } = docsPage(openApiDocument("1", (path) => (path === "/api/v1/token" ? [] : undefined)));
  assert.match(body, /None of the providers that are set up/);
  assert.doesNotMatch(body, /<form/);
});

describe("the page at /docs", () => {
  let browser: Browser | undefined;
  let page: Page;
  let api: Api;
  before(async () => {
    const executablePath = process.env["PORTVAKT_TEST_CHROMIUM"];
    assert.ok(executablePath, "PORTVAKT_TEST_CHROMIUM is not set: name a Chromium there, or run npm test");
    const args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];
    browser = await chromium.launch({ executablePath, args });
    page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
    page.setDefaultTimeout(20_000);
    api = await startApi({ env: bound });
    await page.goto(`${api.url}/docs`);
  });
  after(async () => {
    await browser?.close();
    await api[Symbol.asyncDispose]();
  });

  test("has no script and loads nothing from elsewhere", async () => {
    const response = await fetch(`${api.url}/docs`);
    assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
    const policy = response.headers.get("content-security-policy") ?? "";
    assert.match(policy, /^default-src 'none'; style-src 'sha256-/);
    assert.doesNotMatch(await response.text(), /<script|src=|undefined/);
  });

  test("offers each endpoint the providers that serve it", async () => {
    const offered = async (id: string) =>
      page.locator(`#${id}-identity_provider option`).evaluateAll((all) => all.map((one) => one.textContent));
    assert.deepEqual(await offered("token"), ["entra_id", "maskinporten"]);
    assert.deepEqual(await offered("exchange"), ["entra_id", "tokenx"]);
    assert.deepEqual(await offered("introspect"), ["entra_id", "maskinporten", "tokenx", "idporten", ""]);
  });

  test("sends what an application would, and shows the answer beside the form", async () => {
    await page.selectOption("#token-identity_provider", "maskinporten");
    await page.fill("#token-target", "nav:thing");
    await page
      .locator("form", { has: page.locator("#token-target") })
      .locator("summary")
      .click();
    await page.check("#token-skip_cache");
    await page
      .locator("form", { has: page.locator("#token-target") })
      .getByRole("button")
      .click();
    await page.frameLocator("[name=token-answer]").getByText('"token_type":"Bearer"').waitFor();
    assert.equal(api.maskinporten.received.length, 1);
    assert.equal(page.url(), `${api.url}/docs`);
  });

  test("WCAG 2.2 AA: axe finds nothing, light or dark, and nothing is cut off at 320 pixels", async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    await page.goto(`${api.url}/docs`);
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    await page.evaluate(axe);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const results = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
        "axe.run()",
      );
      assert.deepEqual(
        results.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`),
        [],
      );
    }
    await page.setViewportSize({ width: 320, height: 640 });
    assert.equal(await page.evaluate("document.documentElement.scrollWidth"), 320);
  });
});
