import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { style } from "./style.ts";

type Html = ReturnType<typeof html>;

export interface PageOptions {
  /** What the page is, without the organisation's name. */
  readonly title: string;
  /** Whose application it is: shown at the top. */
  readonly organisation: string;
  /** The application's own name, under the organisation's. */
  readonly application: string;
  readonly lead?: string;
  /** Who is signed in, and where to sign out. Absent on pages that nobody signs in to. */
  readonly person?: { readonly name: string; readonly signOut: string };
  readonly body: Html;
}

// Put together here, because the hash is of every character between the tags.
const styleElement = `<style>${style}</style>`;
const styleHash = createHash("sha256").update(style).digest("base64");

// this one stylesheet, forms to ourselves, nothing else
const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

/** A whole page as an answer. Values in the templates are escaped by hono/html. */
export async function showPage(options: PageOptions, status = 200): Promise<Response> {
  return new Response(String(await page(options)), {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentSecurityPolicy,
      "cache-control": "no-store",
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
    },
  });
}

function page(options: PageOptions): Html {
  const { title, organisation, application, lead, person, body } = options;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · ${organisation}</title>
        ${raw(styleElement)}
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="site">
          <div>
            <div class="brand">${organisation}<small>${application}</small></div>
            ${
              person
                ? html`<nav aria-label="Account">
                    <span class="soft">${person.name}</span> · <a href="${person.signOut}">Sign out</a>
                  </nav>`
                : ""
            }
          </div>
        </header>
        <main id="content">
          <h1>${title}</h1>
          ${lead ? html`<p class="lead">${lead}</p>` : ""} ${body}
        </main>
        <footer class="site">
          An example application of Portvakt. Every person and figure here is invented.
        </footer>
      </body>
    </html>`;
}
