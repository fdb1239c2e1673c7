import { createCookieJar, type CookieJar } from "./cookies.ts";
import { Failed } from "../failed.ts";
import { formsOf, linksOf, mainOf, textOf, type Form } from "./forms.ts";
import type { Ask } from "../http.ts";

/** What a browser shows after a navigation. */
export interface Page {
  readonly url: string;
  readonly status: number;
  readonly html: string;
  readonly text: string;
  readonly forms: readonly Form[];
  readonly links: readonly { readonly href: string; readonly label: string }[];
  /** Every address on the way here, the last one included. */
  readonly way: readonly string[];
}

/** A browser without JavaScript: cookies, redirects, links and forms. */
export interface Browser {
  open(url: string): Promise<Page>;
  /** Presses the button whose label or value has `words` in it. */
  press(page: Page, words: string): Promise<Page>;
  /** What a script of the page would fetch: no redirect followed. */
  fetch(url: string): Promise<Response>;
}

const mostRedirects = 20;

/** A browser with an empty jar. */
export function createBrowser(ask: Ask): Browser {
  const jar = createCookieJar();
  return {
    open: (url) => navigate(ask, jar, { url, method: "GET" }),
    press: async (page, words) => await navigate(ask, jar, pressed(page, words)),
    async fetch(url) {
      const cookie = jar.header(new URL(url));
      const response = await ask(url, {
        headers: {
          accept: "application/json",
          "sec-fetch-mode": "cors",
          "sec-fetch-dest": "empty",
          "sec-fetch-site": "same-origin",
          ...(cookie ? { cookie } : {}),
        },
      });
      jar.take(new URL(url), response.headers);
      return response;
    },
  };
}

interface Navigation {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly body?: URLSearchParams;
  /** The page that the navigation started from. */
  readonly from?: string;
}

async function navigate(ask: Ask, jar: CookieJar, start: Navigation): Promise<Page> {
  const way: string[] = [];
  let next = start;
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const url = new URL(next.url);
    way.push(url.href);
    const response = await ask(url.href, {
      method: next.method,
      headers: navigationHeaders(next, jar.header(url)),
      ...(next.body === undefined ? {} : { body: next.body.toString() }),
    });
    jar.take(url, response.headers);
    const location = response.headers.get("location");
    if (location === null || response.status < 300 || response.status > 399)
      return await shown(response, url.href, way);
    const kept = response.status === 307 || response.status === 308;
    const target = new URL(location, url).href;
    next = kept ? { ...next, url: target } : { url: target, method: "GET", from: next.from ?? url.href };
  }
  throw new Failed(`${start.url} redirects in a circle`, {
    hint: `it went over ${[...new Set(way)].slice(-3).join(", ")}`,
  });
}

function navigationHeaders(navigation: Navigation, cookie: string | undefined): Record<string, string> {
  const from = navigation.from === undefined ? undefined : new URL(navigation.from);
  const to = new URL(navigation.url);
  const site = from === undefined ? "none" : from.origin === to.origin ? "same-origin" : "same-site";
  return {
    accept: "text/html,application/xhtml+xml",
    "accept-language": "en",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
    "sec-fetch-site": site,
    ...(navigation.method === "POST" ? { "content-type": "application/x-www-form-urlencoded" } : {}),
    ...(navigation.method === "POST" && from !== undefined ? { origin: from.origin } : {}),
    ...(cookie === undefined ? {} : { cookie }),
  };
}

async function shown(response: Response, url: string, way: readonly string[]): Promise<Page> {
  const html = await response.text();
  return {
    url,
    status: response.status,
    html,
    text: textOf(mainOf(html)),
    forms: formsOf(html, url),
    links: linksOf(html, url),
    way,
  };
}

function pressed(page: Page, words: string): Navigation {
  for (const form of page.forms) {
    const button = form.buttons.find(({ label, value }) => label.includes(words) || value === words);
    if (button === undefined) continue;
    const fields = new URLSearchParams(form.fields.map(([name, value]) => [name, value]));
    if (button.name !== undefined) fields.append(button.name, button.value);
    if (form.method === "POST") return { url: form.action, method: "POST", body: fields, from: page.url };
    const url = new URL(form.action);
    url.search = fields.toString();
    return { url: url.href, method: "GET", from: page.url };
  }
  throw new Failed(`the page at ${page.url} has no button that says "${words}"`, {
    hint: `it says: ${page.text.slice(0, 160)}`,
  });
}
