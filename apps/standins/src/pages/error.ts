import { html } from "hono/html";
import type { ProtocolError } from "@portvakt/oauth";
import { page, type Theme } from "./layout.ts";
import { pickLocale, texts } from "./texts.ts";

/** The page for what cannot be told to the client, because it is not known where the client is. */
export function errorPage(theme: Theme, error: ProtocolError, request: Request): Promise<Response> {
  const locale = pickLocale([], request.headers.get("accept-language"), theme.locales);
  const text = texts[locale];
  return page(theme, {
    locale,
    title: text.errorTitle,
    status: error.status,
    body: html`<h1>${text.errorTitle}</h1>
      <div class="problem" role="alert">
        <strong><code>${error.error}</code></strong
        >${error.description}
      </div>
      <p>${text.errorBody}</p>`,
  });
}
