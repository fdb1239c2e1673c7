import { meaningOf, subjectOf, tables, type Known } from "@portvakt/explain";
import { HttpProblem, readBody } from "@portvakt/runtime/http";
import { html } from "hono/html";
import type { Sources } from "../data/sources.ts";
import { decision } from "./decision.ts";
import type { Html, Page } from "./page.ts";
import { facts, notice } from "./parts.ts";
import { tokenPage } from "./token.ts";

const mostBytes = 65_536;

const explainForm = html`<form action="/explain" method="post" class="card">
  <p>
    <label for="what">A code, a decision's id, a whole answer, or a token</label>
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
    Such as AADSTS501051, MP-200, invalid_grant, or the JSON that came with a 403. It is neither kept nor
    logged, and goes nowhere.
  </p>
  <button>Explain</button>
</form>`;

const frame = {
  title: "Explain",
  at: "/explain",
  lead: "What happened, whose move it is, and what the move is.",
} as const;

/** `/explain`: the form, and every code there is. */
export function explainPage(): Page {
  return { ...frame, body: html`${explainForm} ${codeLists}` };
}

/** `/explain/:code`: one code. */
export function codePage(code: string): Page {
  const known = meaningOf(code.slice(0, 200));
  if (known === undefined) return { ...frame, status: 404, body: html`${nobodyKnows} ${explainForm}` };
  return { ...frame, body: html`${codeCard(known)} ${explainForm}` };
}

/** POST `/explain` and POST `/token`: whatever was pasted, told apart by its form. It is not repeated in the answer. */
export async function explained(request: Request, sources: Sources): Promise<Page> {
  const text = await pastedText(request);
  const subject = subjectOf(text);
  if (subject === undefined) return { ...frame, status: 422, body: html`${nobodyKnows} ${explainForm}` };
  if (subject.kind === "token") return tokenPage(subject.token, sources);
  if (subject.kind === "code") return { ...frame, body: html`${codeCard(subject.known)} ${explainForm}` };
  const page = await decision(subject.id, sources);
  if (page.status === undefined || subject.known === undefined) return page;
  return { ...frame, body: html`${codeCard(subject.known)} ${explainForm}` };
}

/**
 * The field `what` of a form.
 * *Checks*: content type, size. *Throws*: HttpProblem 413, 415.
 */
async function pastedText(request: Request): Promise<string> {
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/x-www-form-urlencoded\b/i.test(type))
    throw new HttpProblem(415, {
      title: "This is no form",
      detail: "Send application/x-www-form-urlencoded.",
    });
  return new URLSearchParams(await readBody(request, mostBytes)).get("what") ?? "";
}

const nobodyKnows = notice(
  "Nothing here knows what that is. A code, a decision's id, a token, or a whole answer that holds one of these would be understood.",
  "no",
);

function codeCard({ code, kind, cause, owner, fix, uri }: Known): Html {
  return html`<section class="card">
    <h2><code>${code}</code> <span class="soft">${kind}</span></h2>
    ${facts({
      Cause: cause,
      "Whose move": html`<strong>${owner}</strong>`,
      Fix: fix,
      More: uri === undefined ? undefined : html`<a href="${uri}" rel="noreferrer">${uri}</a>`,
    })}
  </section>`;
}

const codeLists = html`<section class="card">
  <h2>Every code</h2>
  ${tables.map(
    ({ kind, codes }) =>
      html`<details>
        <summary>
          ${kind.replace(/^an? /, "").replace(/^./, (first) => first.toUpperCase())}
          <span class="soft">${Object.keys(codes).length}</span>
        </summary>
        <table class="stacks">
          <thead>
            <tr>
              <th scope="col">Code</th>
              <th scope="col">Cause</th>
            </tr>
          </thead>
          <tbody>
            ${Object.entries(codes).map(
              ([code, { cause }]) =>
                html`<tr>
                  <th scope="row">
                    <a href="/explain/${encodeURIComponent(code)}"><code>${code}</code></a>
                  </th>
                  <td>${cause}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </details>`,
  )}
</section>`;
