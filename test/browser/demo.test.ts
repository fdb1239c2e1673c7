// The demo in a real Chromium, as its people use it: a citizen and an employee sign in, see what they came for, and
// sign out. On every page axe must find nothing, nothing may be cut off on a narrow screen, and no script may fail.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { startDemo } from "../demo/platform.ts";
import type { Demo } from "../demo/platform.ts";
import { accessible, launch, look, visitor } from "./driving.ts";

let demo: Demo;
let browser: Browser;

before(async () => {
  [demo, browser] = await Promise.all([startDemo(), launch()]);
});

after(async () => {
  await browser.close();
  assert.equal(await demo.interrupt(), 0);
});

async function judge(page: Page, name: string): Promise<void> {
  await accessible(page);
  await look(page, name);
}

const choose = async (page: Page, persona: string): Promise<void> =>
  page.click(`button[name=persona][value=${persona}]`);

describe("a citizen", () => {
  test("is sent to sign in, sees her data from two hops away, signs out, and is out", async () => {
    const { context, page, errors } = await visitor(browser);
    const portal = demo.url("portal");
    const idporten = demo.state.providers["idporten"]?.issuer;
    await page.goto(portal);
    assert.equal(new URL(page.url()).origin, idporten);
    await judge(page, "idporten-sign-in");

    await choose(page, "kari");
    await page.waitForURL(`${portal}/**`);
    await judge(page, "portal");
    const text = (await page.textContent("main")) ?? "";
    for (const hop of ["portal", "application-api", "income-register"])
      assert.match(text, new RegExp(hop, "u"));
    assert.match(text, /Income, last three months/u);

    // Signed out here and at ID-porten, she is at the portal's door again: it asks her to sign in.
    await page.click("a[href='/oauth2/logout']");
    await page.waitForURL(`${idporten}/authorize?*`);
    assert.equal((await page.request.get(`${portal}/oauth2/session`)).status(), 401);
    await page.goto(portal);
    assert.equal(new URL(page.url()).origin, idporten, "she is out");
    assert.deepEqual(errors, []);
    await context.close();
  });

  test("who is asked for a higher level than hers cannot get in", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(`${demo.url("portal")}/oauth2/login?level=idporten-loa-high`);
    assert.ok(await page.isDisabled("button[name=persona][value=ola]"));
    await judge(page, "idporten-level-too-low");
    await context.close();
  });

  test("who cancels is told so, and can try again", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(demo.url("portal"));
    await page.click("button[name=cancel]");
    await page.waitForLoadState();
    await judge(page, "login-cancelled");
    assert.equal((await page.locator("a, button").count()) > 0, true);
    await context.close();
  });
});

describe("an employee", () => {
  test("is sent to sign in, sees cases on her own behalf, signs out, and is out", async () => {
    const { context, page, errors } = await visitor(browser);
    const caseworker = demo.url("caseworker");
    await page.goto(caseworker);
    const entra = new URL(demo.state.providers["entra"]?.issuer ?? "").origin;
    assert.equal(new URL(page.url()).origin, entra);
    await judge(page, "entra-sign-in");

    await choose(page, "anna");
    await page.waitForURL(`${caseworker}/**`);
    await judge(page, "caseworker");
    const text = (await page.textContent("main")) ?? "";
    for (const word of ["case-api", "Anna Granskog", "Z990001"]) assert.match(text, new RegExp(word, "u"));

    await page.click("a[href='/oauth2/logout']");
    await page.waitForURL(`${entra}/**/authorize?*`);
    assert.equal((await page.request.get(`${caseworker}/oauth2/session`)).status(), 401);
    await page.goto(caseworker);
    assert.equal(new URL(page.url()).origin, entra, "she is out");
    assert.deepEqual(errors, []);
    await context.close();
  });
});

describe("applications without a user", () => {
  test("the job pays: case-api and the tax authority answer it as itself", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(demo.url("payout-job"));
    await page.click("button");
    await page.waitForLoadState();
    const text = (await page.textContent("main")) ?? "";
    for (const word of ["Paid at", "case-api", "tax-authority"]) assert.match(text, new RegExp(word, "u"));
    assert.equal(await page.locator("[role=alert]").count(), 0, text);
    await judge(page, "payout-job-ran");
    await context.close();
  });

  test("whom nobody admits is refused by everybody, with a reason", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(demo.url("snoop"));
    assert.equal(await page.textContent("h1"), "Everybody refused");
    assert.equal(await page.locator(".bad").count(), 0);
    await context.close();
  });
});

describe("pages without a user", () => {
  for (const name of [
    "snoop",
    "payout-job",
    "tax-authority",
    "case-api",
    "application-api",
    "income-register",
  ]) {
    test(`${name} has a page that everybody can use`, async () => {
      const { context, page } = await visitor(browser);
      await page.goto(demo.url(name));
      await judge(page, name);
      await context.close();
    });
  }

  for (const provider of ["idporten", "entra", "maskinporten"]) {
    test(`the stand-in for ${provider} says what it is`, async () => {
      const { context, page } = await visitor(browser);
      await page.goto(new URL(demo.state.providers[provider]?.issuer ?? "").origin);
      await judge(page, `${provider}-home`);
      await context.close();
    });
  }
});

describe("pages that nobody hopes to see", () => {
  const idporten = (): string => demo.state.providers["idporten"]?.issuer ?? "";
  const entra = (): string => demo.state.providers["entra"]?.issuer.replace(/\/v2\.0$/u, "") ?? "";
  const cases: readonly [name: string, address: () => string][] = [
    ["idporten-refuses", () => `${idporten()}/authorize?client_id=nobody`],
    ["entra-refuses", () => `${entra()}/oauth2/v2.0/authorize?client_id=nobody`],
    ["login-callback-of-nobody", () => `${demo.url("portal")}/oauth2/callback?code=x&state=y`],
    ["login-logged-out", () => `${demo.url("portal")}/oauth2/logout/callback`],
  ];
  for (const [name, address] of cases) {
    test(`${name} is one that people can read`, async () => {
      const { context, page } = await visitor(browser);
      await page.goto(address());
      assert.equal(await page.locator("h1").count(), 1);
      await judge(page, name);
      await context.close();
    });
  }

  test("the claims of a persona can be edited before signing in", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(demo.url("portal"));
    await page.click("button[name=edit][value=kari]");
    await page.waitForLoadState();
    await judge(page, "idporten-edit");
    await context.close();
  });
});
