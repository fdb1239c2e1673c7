import { html } from "hono/html";
import { page, type Html, type Theme } from "./layout.ts";
import { languageNames, texts, type Locale, type TextName } from "./texts.ts";

/** A persona's card. */
export interface Choice {
  readonly id: string;
  readonly name: string;
  readonly about: { readonly nb: string; readonly en: string };
  /** A number or a user name. */
  readonly detail: string;
  /** Why this persona cannot be chosen here. */
  readonly blocked: "tooLow" | "noAccess" | undefined;
}

/** What changes while somebody makes up their mind. */
export interface PageState {
  readonly locale: Locale;
  readonly problem?: string;
  /** The persona whose claims are being edited. */
  readonly editing?: string;
}

export interface SignInView extends PageState {
  /** Names the waiting sign-in in the form. */
  readonly pending: string;
  readonly action: string;
  /** The application that asked. */
  readonly client: string;
  readonly choices: readonly Choice[];
  readonly hint: string | undefined;
  readonly claims: Record<string, unknown> | undefined;
}

/** The page on which somebody chooses who to be. */
export function signInPage(theme: Theme, view: SignInView): Promise<Response> {
  const text = texts[view.locale];
  const hidden = html`<input type="hidden" name="pending" value="${view.pending}" /><input
      type="hidden"
      name="locale"
      value="${view.locale}"
    />`;
  const others = theme.locales.filter((locale) => locale !== view.locale);
  return page(theme, {
    locale: view.locale,
    title: text.signIn,
    aside: html`<form class="languages" method="post" action="${view.action}">
      ${hidden}${others.map(
        (locale) =>
          html`<button class="lang" name="language" value="${locale}" lang="${locale}">
            ${languageNames[locale]}
          </button>`,
      )}
    </form>`,
    body: html`<p class="lead">${text.signInTo} <b>${view.client}</b></p>
      ${view.claims === undefined ? choicesBody(theme, view, hidden) : editBody(view, hidden, view.claims)}`,
  });
}

function choicesBody(theme: Theme, view: SignInView, hidden: Html): Html {
  const text = texts[view.locale];
  return html`<h1>${text.whoAreYou}</h1>
    ${problemBox(view)}
    <form method="post" action="${view.action}">
      ${hidden}
      <ul class="people">
        ${view.choices.map((choice) => card(choice, view.locale))}
      </ul>
    </form>
    <section>
      <details class="panel" ${view.hint === undefined && view.problem === undefined ? "" : html` open`}>
        <summary>${text.other}</summary>
        <div>
          <p class="help">${text.otherHelp}</p>
          <form method="post" action="${view.action}">
            ${hidden}${theme.typed === "pid" ? typedCitizen(view) : typedEmployee(view)}
            <div class="row"><button class="primary">${text.signIn}</button></div>
          </form>
        </div>
      </details>
    </section>
    <section>
      <form method="post" action="${view.action}">
        ${hidden}<button class="plain" name="cancel" value="1">${text.cancel}</button>
      </form>
    </section>`;
}

function card(choice: Choice, locale: Locale): Html {
  const text = texts[locale];
  const why = choice.blocked === undefined ? "" : html`<span class="why">${text[choice.blocked]}</span>`;
  const detail = choice.detail === "" ? "" : html`<span class="detail">${choice.detail}</span>`;
  return html`<li>
    <button
      class="card"
      name="persona"
      value="${choice.id}"
      ${choice.blocked === undefined ? "" : html` disabled`}
    >
      <span class="face" aria-hidden="true">${choice.name.slice(0, 1)}</span
      ><span class="who">${choice.name}</span
      ><span class="about"
        >${locale === "en" ? choice.about.en : html`<span lang="nb">${choice.about.nb}</span>`}</span
      >${detail}${why}
    </button>
    <button class="quiet" name="edit" value="${choice.id}" aria-label="${text.editing} ${choice.name}">
      ${text.edit}
    </button>
  </li>`;
}

function typedCitizen(view: SignInView): Html {
  const text = texts[view.locale];
  const hint = view.hint !== undefined && /^\d{11}$/.test(view.hint) ? view.hint : "";
  return html`<label for="pid">${text.pid}</label
    ><input
      type="text"
      id="pid"
      name="pid"
      inputmode="numeric"
      autocomplete="off"
      maxlength="11"
      value="${hint}"
    />
    <label for="name">${text.name}</label
    ><input type="text" id="name" name="name" autocomplete="off" maxlength="100" />
    <fieldset>
      <legend>${text.level}</legend>
      <label><input type="radio" name="level" value="idporten-loa-high" checked /> ${text.high}</label>
      <label><input type="radio" name="level" value="idporten-loa-substantial" /> ${text.substantial}</label>
    </fieldset>`;
}

function typedEmployee(view: SignInView): Html {
  const text = texts[view.locale];
  return html`<label for="username">${text.username}</label
    ><input
      type="text"
      id="username"
      name="username"
      autocomplete="off"
      autocapitalize="none"
      spellcheck="false"
      maxlength="200"
      value="${view.hint ?? ""}"
    />
    <label for="name">${text.name}</label
    ><input type="text" id="name" name="name" autocomplete="off" maxlength="100" />
    <label for="navident">NAVident</label
    ><input type="text" id="navident" name="navident" autocomplete="off" maxlength="20" />`;
}

function editBody(view: SignInView, hidden: Html, claims: Record<string, unknown>): Html {
  const text = texts[view.locale];
  const name = view.choices.find((choice) => choice.id === view.editing)?.name ?? view.editing ?? "";
  return html`<h1>${text.editing} ${name}</h1>
    ${problemBox(view)}
    <form class="panel" method="post" action="${view.action}">
      ${hidden}<input type="hidden" name="persona" value="${view.editing ?? ""}" />
      <label for="claims">${text.claims}</label>
      <p class="help" id="claims-help">${text.editHelp}</p>
      <textarea id="claims" name="claims" aria-describedby="claims-help" spellcheck="false" maxlength="8000">
${JSON.stringify(claims, null, 2)}</textarea>
      <div class="row">
        <button class="primary">${text.signInWith}</button
        ><button class="plain" name="language" value="${view.locale}">${text.back}</button>
      </div>
    </form>`;
}

function problemBox(view: SignInView): Html {
  if (view.problem === undefined) return html``;
  const text = texts[view.locale];
  const known = `problem.${view.problem}`;
  const detail = known in text ? text[known as TextName] : view.problem;
  return html`<div class="problem" role="alert"><strong>${text.problem}</strong>${detail}</div>`;
}
