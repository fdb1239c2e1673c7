import { html } from "hono/html";
import { page, type Theme } from "./layout.ts";
import { pickLocale, texts } from "./texts.ts";

/** What somebody sees who opens the stand-in's address: what it is, and where its endpoints are. */
export function homePage(
  theme: Theme,
  metadata: Record<string, unknown>,
  request: Request,
): Promise<Response> {
  const rows = Object.entries(metadata).filter(([, value]) => typeof value === "string");
  const locale = pickLocale([], request.headers.get("accept-language"), theme.locales);
  const { endpoints } = texts[locale];
  return page(theme, {
    locale,
    title: endpoints,
    body: html`<h1>${endpoints}</h1>
      <div class="panel">
        <dl>
          ${rows.map(
            ([name, value]) =>
              html`<dt><code>${name}</code></dt>
                <dd><code>${value}</code></dd>`,
          )}
        </dl>
      </div>`,
  });
}
