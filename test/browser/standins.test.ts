// The stand-ins' pages in a real browser: every one of them accessible, in one piece on a narrow screen, and usable with
// the keyboard alone; the test kit's way to sign in.

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { after, before, describe, test } from "node:test";
import { login, startStandins, type Standins } from "@portvakt/testkit";
import type { Browser, Page } from "playwright-core";
import { accessible, launch, look, visitor } from "./driving.ts";

let idp: Standins;
let browser: Browser;
let application: Server;
let home: string;

before(async () => {
  application = createServer((request, response) => {
    response.setHeader("content-type", "text/html");
    response.end(
      `<!doctype html><title>application</title><p>${request.method} ${request.url?.split("?")[0]}</p>`,
    );
  });
  await new Promise<void>((resolve) => {
    application.listen(0, "127.0.0.1", () => resolve());
  });
  const address = application.address();
  assert.ok(typeof address === "object" && address !== null);
  home = `http://localhost:${address.port}`;
  const client = {
    client_id: "app",
    client_secret: "secret-of-app",
    redirect_uris: [`${home}/callback`],
    post_logout_redirect_uris: [`${home}/out`],
  };
  [idp, browser] = await Promise.all([
    startStandins({
      registrations: {
        idporten: { clients: [{ ...client, frontchannel_logout_uri: `${home}/front` }] },
        openid: { clients: [client] },
        entra: {
          applications: [
            {
              ...client,
              client_id: "7a1b7a39-0a0e-4b4a-9a35-5f1f2a6f0011",
              name: "local:test:app",
              allow_all_users: true,
            },
          ],
        },
      },
    }),
    launch(),
  ]);
});
after(async () => {
  await browser.close();
  await idp.close();
  application.closeAllConnections();
  application.close();
});

const pkce = { code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256" };

function authorize(provider: "idporten" | "entra" | "openid", more: Record<string, string> = {}): string {
  const query = new URLSearchParams({
    client_id: provider === "entra" ? "7a1b7a39-0a0e-4b4a-9a35-5f1f2a6f0011" : "app",
    redirect_uri: `${home}/callback`,
    response_type: "code",
    scope: "openid",
    state: "s",
    nonce: "n",
    ...pkce,
    ...more,
  });
  const path = provider === "entra" ? "/organizations/oauth2/v2.0/authorize" : "/authorize";
  return `${idp.urls[provider]}${path}?${query}`;
}

/** What each page is, and how somebody gets there. */
const pages: Record<string, (page: Page) => Promise<unknown>> = {
  "idporten-nb": (page) => page.goto(authorize("idporten", { ui_locales: "nb" })),
  "idporten-nn": (page) => page.goto(authorize("idporten", { ui_locales: "nn" })),
  "idporten-en": (page) => page.goto(authorize("idporten", { ui_locales: "en" })),
  "idporten-se": (page) => page.goto(authorize("idporten", { ui_locales: "se" })),
  "idporten-high": (page) => page.goto(authorize("idporten", { acr_values: "idporten-loa-high" })),
  entra: (page) => page.goto(authorize("entra")),
  openid: (page) => page.goto(authorize("openid")),
  "edit-claims": async (page) => {
    await page.goto(authorize("openid"));
    await page.click('button[name="edit"][value="kari"]');
    await page.waitForSelector("textarea");
  },
  "wrong-number": async (page) => {
    await page.goto(authorize("idporten"));
    await page.click("summary");
    await page.fill("#pid", "12345678901");
    await page.click("details button.primary");
    await page.waitForSelector('[role="alert"]');
  },
  "error-page": (page) => page.goto(authorize("idporten", { redirect_uri: "https://evil.example/" })),
  "entra-error": (page) => page.goto(authorize("entra", { redirect_uri: "https://evil.example/" })),
  "home-idporten": (page) => page.goto(`${idp.urls.idporten}/`),
  "home-maskinporten": (page) => page.goto(`${idp.urls.maskinporten}/`),
  "logout-question": async (page) => {
    await page.goto(authorize("openid", { login_hint: "kari" }));
    await page.goto(`${idp.urls.openid}/logout`);
    await page.waitForSelector('button[name="answer"]');
  },
  "still-signed-in": async (page) => {
    await page.goto(authorize("openid", { login_hint: "kari" }));
    await page.goto(`${idp.urls.openid}/logout`);
    await page.click('button[value="no"]');
    await page.waitForSelector('button[name="answer"]', { state: "detached" });
  },
  "signed-out": async (page) => {
    await page.goto(authorize("openid", { login_hint: "kari" }));
    await page.goto(`${idp.urls.openid}/logout`);
    await page.click('button[value="yes"]');
    await page.waitForSelector('button[name="answer"]', { state: "detached" });
  },
};

describe("the stand-ins' pages", () => {
  for (const [name, open] of Object.entries(pages))
    test(`${name}: axe finds nothing, and nothing is cut off`, async () => {
      const { context, page } = await visitor(browser);
      await open(page);
      assert.equal((await page.textContent("h1"))?.trim() === "", false);
      await accessible(page);
      await look(page, `standins-${name}`);
      await context.close();
    });
  test("form_post and front-channel logout without scripts: a button and a link go on", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false, locale: "en-GB" });
    const page = await context.newPage();
    await page.goto(authorize("idporten", { login_hint: "kari", response_mode: "form_post" }));
    await page.click("button");
    await page.waitForURL(`${home}/callback`);
    assert.equal(await page.textContent("p"), "POST /callback");
    await page.goto(
      `${idp.urls.idporten}/logout?client_id=app&post_logout_redirect_uri=${encodeURIComponent(`${home}/out`)}`,
    );
    await page.click("a.next");
    await page.waitForURL(`${home}/out`);
    await context.close();
  });
  test("form_post and front-channel logout with scripts go on by themselves", async () => {
    const { context, page, errors } = await visitor(browser);
    await page.goto(authorize("idporten", { login_hint: "kari", response_mode: "form_post" }));
    await page.waitForURL(`${home}/callback`);
    const heard = page.waitForRequest((request) => request.url().startsWith(`${home}/front?iss=`));
    await page.goto(
      `${idp.urls.idporten}/logout?client_id=app&post_logout_redirect_uri=${encodeURIComponent(`${home}/out`)}`,
    );
    await heard;
    await page.waitForURL(`${home}/out`);
    assert.deepEqual(errors, []);
    await context.close();
  });
});

describe("with the keyboard alone", () => {
  /** Presses Tab until the element that is wanted has the focus; it must be visible that it has. */
  async function tabTo(page: Page, selector: string): Promise<void> {
    for (let count = 0; count < 60; count += 1) {
      await page.keyboard.press("Tab");
      const there = await page.evaluate(`document.activeElement?.matches(${JSON.stringify(selector)})`);
      if (there !== true) continue;
      const outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle");
      assert.notEqual(outline, "none", `${selector} does not show that it has the focus`);
      return;
    }
    assert.fail(`${selector} cannot be reached`);
  }
  test("a persona is chosen", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(authorize("idporten"));
    await tabTo(page, 'button[name="persona"][value="dagny"]');
    await page.keyboard.press("Enter");
    await page.waitForURL(`${home}/callback?*`);
    assert.ok(new URL(page.url()).searchParams.has("code"));
    await context.close();
  });
  test("somebody else is typed in, in another language", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(authorize("openid"));
    await tabTo(page, 'button[name="language"][value="nb"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector('html[lang="nb"]');
    await tabTo(page, "summary");
    await page.keyboard.press("Enter");
    await tabTo(page, "#username");
    await page.keyboard.type("somebody");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${home}/callback?*`);
    await context.close();
  });
  test("claims are edited, and the sign-in is cancelled", async () => {
    const { context, page } = await visitor(browser);
    await page.goto(authorize("openid"));
    await tabTo(page, 'button[name="edit"][value="kari"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector("textarea");
    await tabTo(page, "textarea");
    await tabTo(page, "button.plain");
    await page.keyboard.press("Enter");
    await page.waitForSelector('button[name="cancel"]');
    await tabTo(page, 'button[name="cancel"]');
    await page.keyboard.press("Enter");
    await page.waitForURL(`${home}/callback?*`);
    assert.equal(new URL(page.url()).searchParams.get("error"), "access_denied");
    await context.close();
  });
});

test("the kit's login signs a persona in on the page", async () => {
  const { context, page } = await visitor(browser);
  await page.goto(authorize("entra"));
  await login(page, "anna");
  await page.waitForURL(`${home}/callback?*`);
  assert.ok(new URL(page.url()).searchParams.has("code"));
  await context.close();
});
