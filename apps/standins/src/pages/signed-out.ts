import { html } from "hono/html";
import { page, type Theme } from "./layout.ts";
import { texts, type Locale } from "./texts.ts";

export interface SignedOutView {
  readonly locale: Locale;
  /** Front-channel logout URIs of the session's clients, each loaded in a frame of its own. */
  readonly frames: readonly string[];
  readonly next: string | undefined;
}

/** The load event waits for the frames; a client that does not answer holds nobody back for long. */
const goOn = `
const next = document.querySelector("a.next");
const go = () => location.replace(next.href);
addEventListener("load", go);
setTimeout(go, 3000);
`;

/** The page that ends a session in the browser: it loads the clients' front-channel logout URIs, then goes on. */
export function signedOutPage(theme: Theme, view: SignedOutView): Promise<Response> {
  const text = texts[view.locale];
  const scripted = view.next !== undefined;
  return page(theme, {
    locale: view.locale,
    title: text.signedOut,
    frameSources: view.frames.map((uri) => new URL(uri).origin),
    ...(scripted ? { script: goOn } : {}),
    body: html`<h1>${text.signedOut}</h1>
      <p>${text.signedOutBody}</p>
      ${view.frames.map((uri) => html`<iframe src="${uri}" title="logout" hidden></iframe>`)}
      ${view.next === undefined ? "" : html`<p class="row"><a class="primary button next" href="${view.next}">${text.goOn}</a></p>`}`,
  });
}
