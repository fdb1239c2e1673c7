// @portvakt/sdk/browser in a real Chromium, behind a real login proxy.
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";
import { openStage, type Stage } from "./stage.ts";

const html = `<!doctype html><title>form</title><form>
  <input name="reason"><input name="secret" type="password"><textarea name="text"></textarea>
  <select name="kind"><option>a</option><option>b</option></select><input name="agree" type="checkbox">
</form><button id="in">Sign in</button><script type="module">
  import { watchSession } from "/helper.js";
  window.told = [];
  window.watch = watchSession({
    keepAliveSeconds: 1, expiringSeconds: 120,
    onExpiring: ({ secondsLeft }) => told.push("expiring " + (secondsLeft <= 120)),
    onEnded: ({ status }) => told.push(status),
  });
  document.querySelector("#in").onclick = async () => { window.signedIn = await watch.signIn(window.how); };
</script>`;

/** What the page was told of its session so far. */
const told = (page: Page): Promise<string[]> => page.evaluate<string[]>("window.told");
const toldOf = async (page: Page, what: string): Promise<void> => {
  await page.waitForFunction(`window.told.includes(${JSON.stringify(what)})`);
};

describe("@portvakt/sdk/browser", () => {
  let stage: Stage;
  let browser: Browser;
  let helper: string;
  let page: Page;

  before(async () => {
    const entry = fileURLToPath(import.meta.resolve("@portvakt/sdk/browser"));
    const built = await build({
      ...{ entryPoints: [entry], bundle: true, minify: true, format: "esm", write: false },
    });
    helper = built.outputFiles[0]!.text;
    stage = await openStage({
      ingress: "http://app.localhost",
      env: { PORTVAKT_LOGIN_SESSION_INACTIVITY: "true", PORTVAKT_LOGIN_SESSION_INACTIVITY_TIMEOUT: "10m" },
    });
    stage.upstream.handler = (request, response) => {
      const script = request.url === "/helper.js";
      response.setHeader("content-type", script ? "text/javascript" : "text/html");
      response.end(script ? helper : html);
    };
    browser = await chromium.launch({
      executablePath: process.env["PORTVAKT_TEST_CHROMIUM"] ?? "",
      args: [
        ...["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        `--host-resolver-rules=MAP app.localhost:80 ${stage.replicas[0]!.address}`,
      ],
    });
    page = await (await browser.newContext()).newPage();
    page.setDefaultTimeout(20_000);
  });
  after(async () => {
    await browser?.close();
    await stage.close();
  });

  test("is under 3 kB", () => assert.ok(helper.length < 3000, `${helper.length} bytes`));

  test("without a session it says so, and signing in by redirect keeps what was typed, but no password", async () => {
    await page.goto("http://app.localhost/apply?step=2");
    await toldOf(page, "ended");
    await page.fill("[name=reason]", "because");
    await page.fill("[name=secret]", "hunter2");
    await page.fill("[name=text]", "a long\nstory");
    await page.selectOption("[name=kind]", "b");
    await page.check("[name=agree]");
    await page.evaluate("window.how = 'redirect'");
    await Promise.all([page.waitForEvent("load"), page.click("#in")]);
    await page.waitForFunction("document.querySelector('[name=reason]')?.value === 'because'");
    assert.equal(page.url(), "http://app.localhost/apply?step=2");
    const values = await page.evaluate<unknown[]>(
      "[...document.querySelectorAll('input,textarea,select')].map((f) => f.type === 'checkbox' ? f.checked : f.value)",
    );
    assert.deepEqual(values, ["because", "", "a long\nstory", "b", true]);
    assert.equal(await page.evaluate("sessionStorage.length"), 0);
    assert.deepEqual(await page.evaluate("watch.check()"), { status: "active", secondsLeft: 600 });
  });

  test("before the end it says so once; somebody at work keeps the session alive", async () => {
    stage.clock.now += 500;
    await page.evaluate("watch.check()");
    await page.evaluate("watch.check()");
    assert.deepEqual(await told(page), ["expiring true"]);
    const renewed = page.waitForResponse((response) => response.url().endsWith("/oauth2/session/refresh"));
    await page.keyboard.press("Tab");
    assert.equal((await renewed).status(), 200);
    assert.deepEqual(await page.evaluate("watch.check()"), { status: "active", secondsLeft: 600 });
  });

  test("events that a script makes keep nothing alive", async () => {
    let refreshes = 0;
    page.on("request", (request) => (refreshes += request.url().endsWith("/refresh") ? 1 : 0));
    await page.waitForTimeout(1100); // the helper's own rest after the last one, which no fake clock reaches
    await page.evaluate("dispatchEvent(new KeyboardEvent('keydown', { key: 'a' })); watch.check()");
    assert.equal(refreshes, 0);
  });

  test("a session that ran out is renewed in a window of its own, and the page stays as it is", async () => {
    stage.clock.now += 11 * 60;
    await page.evaluate("watch.check()");
    await toldOf(page, "inactive");
    await page.fill("[name=reason]", "still here");
    await page.evaluate("window.how = 'popup'");
    const [popup] = await Promise.all([page.waitForEvent("popup"), page.click("#in")]);
    await page.waitForFunction("window.signedIn === true");
    assert.ok(popup.isClosed());
    assert.equal(await page.inputValue("[name=reason]"), "still here");
  });
});
