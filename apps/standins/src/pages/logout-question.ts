import { html } from "hono/html";
import { page, type Theme } from "./layout.ts";
import { texts, type Locale } from "./texts.ts";

export interface LogoutQuestionView {
  readonly locale: Locale;
  readonly action: string;
  /** Names the waiting logout. */
  readonly id: string;
}

/** Asks whether to sign out (OpenID Connect RP-Initiated Logout section 2): a client that proves nothing must not decide it. */
export function logoutQuestionPage(theme: Theme, view: LogoutQuestionView): Promise<Response> {
  const text = texts[view.locale];
  return page(theme, {
    locale: view.locale,
    title: text.signOutQuestion,
    body: html`<h1>${text.signOutQuestion}</h1>
      <p>${text.signOutQuestionBody}</p>
      <form method="post" action="${view.action}">
        <input type="hidden" name="question" value="${view.id}" />
        <input type="hidden" name="ui_locales" value="${view.locale}" />
        <div class="row">
          <button class="primary" name="answer" value="yes">${text.signOut}</button
          ><button class="plain" name="answer" value="no">${text.staySignedIn}</button>
        </div>
      </form>`,
  });
}

/** Says that nothing has changed. */
export function stillSignedInPage(theme: Theme, locale: Locale): Promise<Response> {
  const text = texts[locale];
  return page(theme, {
    locale,
    title: text.stillSignedIn,
    body: html`<h1>${text.stillSignedIn}</h1>
      <p>${text.stillSignedInBody}</p>`,
  });
}
