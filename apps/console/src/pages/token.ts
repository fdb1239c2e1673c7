import { meaningOf, verifyWith, wordsFor, type KnownIssuer, type Verdict } from "@portvakt/explain";
import { audiencesOf, peekJwt, type JwtClaims } from "@portvakt/oauth";
import { html } from "hono/html";
import type { Sources } from "../data/sources.ts";
import type { Html, Page } from "./page.ts";
import { applicationLink, facts, notice, shown } from "./parts.ts";

const mostClaims = 100;

const tokenForm = html`<form action="/token" method="post" class="card">
  <p>
    <label for="what">A token (a signed JWT)</label>
    <textarea
      id="what"
      name="what"
      required
      maxlength="60000"
      spellcheck="false"
      autocomplete="off"
      aria-describedby="what-note"
    ></textarea>
  </p>
  <p id="what-note" class="soft">
    It travels in the body of this form to this console, never in an address. It is neither kept nor logged,
    and goes nowhere from here: only the public keys of known issuers are fetched. National identity numbers
    in it are not shown.
  </p>
  <button>Inspect</button>
</form>`;

const frame = {
  title: "Token",
  at: "/token",
  lead: "What a token says, whether it holds, and whom it is for.",
} as const;

/** `/token`: the form. */
export function tokenFormPage(): Page {
  return { ...frame, body: tokenForm };
}

/** A token in words. The token itself is not in the answer. */
export async function tokenPage(token: string, { findIssuer, current, now }: Sources): Promise<Page> {
  const decoded = peekJwt(token);
  if (decoded === undefined)
    return { ...frame, status: 422, body: html`${notice("This is no signed JWT.", "no")} ${tokenForm}` };
  const from = await findIssuer(decoded.claims);
  const verdict = from === undefined ? undefined : await verifyWith(token, from, now);
  const { landscape } = await current();
  const receivers = audiencesOf(decoded.claims).filter((audience) => landscape.applications.has(audience));
  return {
    ...frame,
    body: html`${verdictCard(verdict, from)}
      ${receivers.length === 0 ? "" : notice(html`It is for ${receivers.map((id) => applicationLink(id))}.`, "calm")}
      <section class="card">
        <h2>Claims</h2>
        ${claimTable(decoded.claims, now())}
      </section>
      <section class="card">
        <h2>Header</h2>
        ${facts(Object.fromEntries(Object.entries(decoded.header).map(([name, value]) => [shown(name, 60), html`<code>${inText(value)}</code>`])))}
      </section>
      ${tokenForm}`,
  };
}

function verdictCard(verdict: Verdict | undefined, from: KnownIssuer | undefined): Html {
  if (verdict === undefined)
    return notice("Not verified: nobody here knows its issuer. What it says below may be anybody's words.");
  if (verdict.verified)
    return notice(`Valid: signed by ${from?.provider?.title ?? "its issuer"}, and within its time.`, "yes");
  const known = verdict.code === undefined ? undefined : meaningOf(verdict.code);
  return html`<div class="card notice no">
    <h2>Not valid: ${shown(verdict.message)}</h2>
    ${known === undefined ? "" : facts({ Cause: known.cause, "Whose move": known.owner, Fix: known.fix })}
  </div>`;
}

function claimTable(claims: JwtClaims, now: number): Html {
  return html`<table class="stacks">
    <thead>
      <tr>
        <th scope="col">Claim</th>
        <th scope="col">Value</th>
        <th scope="col">Meaning here</th>
      </tr>
    </thead>
    <tbody>
      ${Object.entries(claims)
        .slice(0, mostClaims)
        .map(
          ([name, value]) =>
            html`<tr>
              <th scope="row" class="tight"><code>${shown(name, 60)}</code></th>
              <td>
                ${name === "pid" ? html`<span class="soft">not shown</span>` : html`<code>${inText(value)}</code>`}
              </td>
              <td class="soft">${wordsFor(name, value, now)}</td>
            </tr>`,
        )}
    </tbody>
  </table>`;
}

function inText(value: unknown): string {
  return shown(typeof value === "string" ? value : JSON.stringify(value));
}
