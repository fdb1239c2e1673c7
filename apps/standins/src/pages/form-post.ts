import { html } from "hono/html";
import { page, type Theme } from "./layout.ts";
import { texts } from "./texts.ts";

const submit = "document.forms[0].submit()";

/**
 * Sends members to a URI by POST (OAuth 2.0 Form Post Response Mode). The one page with a script; without scripts its
 * button does the same.
 */
export function formPostPage(theme: Theme, uri: string, members: Record<string, string>): Promise<Response> {
  const text = texts.nb;
  return page(theme, {
    locale: "nb",
    title: text.sending,
    script: submit,
    body: html`<h1>${text.sending}</h1>
      <form method="post" action="${uri}">
        ${Object.entries(members).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}" />`)}
        <button class="primary">${text.goOn}</button>
      </form>`,
  });
}
