// A real Chromium for tests: launched without a display, with what a page must pass in every test.

import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, BrowserContext, Page } from "playwright-core";

// Without a sandbox, because containers have none for root; without the services that would call out.
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts the Chromium that PORTVAKT_TEST_CHROMIUM names. */
export async function launch(): Promise<Browser> {
  const executablePath = process.env["PORTVAKT_TEST_CHROMIUM"] ?? "";
  return chromium.launch({ executablePath, args: flags });
}

/** Somebody's browser: empty jar, and a page that fails the test on a script error. */
export async function visitor(
  browser: Browser,
): Promise<{ context: BrowserContext; page: Page; errors: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB" });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(`${page.url()}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(`${page.url()}: ${message.text()}`);
  });
  return { context, page, errors };
}

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly help: string;
    readonly nodes: readonly { readonly html: string }[];
  }[];
}

/** Asserts that axe finds nothing on the page, light or dark. */
export async function accessible(page: Page): Promise<void> {
  // Evaluated, not added as a script element: the pages' content security policy admits no stranger's script.
  await page.evaluate(axe);
  for (const colorScheme of ["dark", "light"] as const) {
    await page.emulateMedia({ colorScheme });
    const results = await page.evaluate<AxeResults>("axe.run()");
    const found = results.violations.map(
      ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`,
    );
    assert.deepEqual(found, [], `axe on ${page.url()}, ${colorScheme}`);
  }
}

/** Keeps pictures of the page, wide and narrow, where PORTVAKT_SCREENSHOTS names a folder. Asserts that nothing is cut off. */
export async function look(page: Page, name: string): Promise<void> {
  const folder = process.env["PORTVAKT_SCREENSHOTS"];
  if (folder !== undefined) await mkdir(folder, { recursive: true });
  for (const [label, width] of [
    ["wide", 1280],
    ["narrow", 375],
  ] as const) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - window.innerWidth");
    assert.ok(overflow <= 0, `${name} is ${overflow} px wider than a screen of ${width} px`);
    if (folder === undefined) continue;
    await page.screenshot({ path: join(folder, `${name}-${label}.png`), fullPage: true });
    await page.emulateMedia({ colorScheme: "dark" });
    await page.screenshot({ path: join(folder, `${name}-${label}-dark.png`), fullPage: true });
    await page.emulateMedia({ colorScheme: "light" });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}
