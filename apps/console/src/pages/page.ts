import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { style } from "./style.ts";

export type Html = ReturnType<typeof html>;

/** The pages that every page leads to. */
export const places = {
  "/": "Overview",
  "/graph": "Graph",
  "/decisions": "Decisions",
  "/access": "May A call B?",
  "/explain": "Explain",
  "/token": "Token",
} as const;

export interface Page {
  readonly title: string;
  /** The place in the navigation that it is or belongs to. */
  readonly at?: keyof typeof places;
  readonly lead?: string | Html;
  readonly body: Html;
  readonly status?: number;
}

// Put together here, because the hash is of every character between the tags.
const styleElement = `<style>${style}</style>`;
const styleHash = createHash("sha256").update(style).digest("base64");

/** What every answer of the console carries, whatever it is. */
export const everyHeader = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  // with `no-referrer`, browsers would send `Origin: null` with our own forms
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
} as const;

/** This one stylesheet, pictures and forms of our own, and nothing else. */
const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** A whole page as an answer. Values in the templates are escaped by hono/html. */
export async function showPage(page: Page): Promise<Response> {
  return new Response(String(await frame(page)), {
    status: page.status ?? 200,
    headers: {
      ...everyHeader,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentSecurityPolicy,
    },
  });
}

function frame({ title, at, lead, body }: Page): Html {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${title} · Portvakt</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        ${raw(styleElement)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="site">
          <div>
            <div class="brand"><a href="/">Portvakt</a> <small>console</small></div>
            <nav aria-label="Pages">
              <ul>
                ${Object.entries(places).map(
                  ([path, name]) =>
                    html`<li>
                      <a href="${path}" ${path === at ? raw('aria-current="page"') : ""}>${name}</a>
                    </li>`,
                )}
              </ul>
            </nav>
          </div>
        </header>
        <main id="content">
          <h1>${title}</h1>
          ${lead === undefined ? "" : html`<p class="lead">${lead}</p>`} ${body}
        </main>
        <footer class="site">
          This console only shows, and changes nothing. It never shows a token, a secret or a national
          identity number.
        </footer>
      </body>
    </html>`;
}

/** The icon in the browser's tab: a gate. */
export const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0b5d5b"/><path d="M8 26V14a8 8 0 0 1 16 0v12M13 26V15M19 26V15" fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>`;
