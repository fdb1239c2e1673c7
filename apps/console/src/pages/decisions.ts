import { ways, wayNames } from "@portvakt/policy";
import { html } from "hono/html";
import { applicationNamed } from "../data/names.ts";
import type { Sources } from "../data/sources.ts";
import type { Recorded } from "../data/tokenx.ts";
import type { Html, Page } from "./page.ts";
import { applicationLink, moment, notice, shown, verdict } from "./parts.ts";

const mostShown = 100;

/** What the console says where it was told of no TokenX. */
export const withoutTokenx =
  "The console was told of no TokenX: set PORTVAKT_CONSOLE_TOKENX_URL and PORTVAKT_CONSOLE_READER_JWK.";

/** `/decisions`: what TokenX decided last. */
export async function decisions(request: Request, { current, tokenx, now }: Sources): Promise<Page> {
  const query = new URL(request.url).searchParams;
  const outcome = (["allow", "deny"] as const).find((one) => one === query.get("outcome"));
  const word = (query.get("application") ?? "").trim().slice(0, 200);
  const { landscape } = await current();
  const named = word === "" ? undefined : applicationNamed(word, landscape);
  const application = named !== undefined && "id" in named ? named.id : undefined;
  const wanted = { ...(outcome && { outcome }), ...(application !== undefined && { application }) };
  const trouble = named !== undefined && "trouble" in named ? named.trouble : undefined;
  const told =
    trouble === undefined ? ((await tokenx?.decisions(wanted)) ?? { trouble: withoutTokenx }) : { trouble };
  return {
    title: "Decisions",
    at: "/decisions",
    lead: "What TokenX decided last, the newest first. What was allowed is held for the last thousand requests, of a busy second twenty; refusals for days.",
    body: html`${filterForm(outcome, application ?? word, [...landscape.applications.keys()])}
    ${
      "trouble" in told
        ? notice(shown(told.trouble), "no")
        : html`<section class="card">${decisionTable(told.value.slice(0, mostShown), now())}</section>`
    }`,
  };
}

function filterForm(outcome: string | undefined, application: string, ids: readonly string[]): Html {
  const options = [
    ["", "allowed and refused"],
    ["allow", "allowed"],
    ["deny", "refused"],
  ] as const;
  return html`<form class="row" action="/decisions" method="get">
    <div>
      <label for="application">Application, on either side</label>
      <input
        id="application"
        name="application"
        list="applications"
        value="${application}"
        maxlength="200"
        autocomplete="off"
      />
      ${applicationOptions(ids)}
    </div>
    <div>
      <label for="outcome">Outcome</label>
      <select id="outcome" name="outcome">
        ${options.map(([value, words]) =>
          value === (outcome ?? "")
            ? html`<option value="${value}" selected>${words}</option>`
            : html`<option value="${value}">${words}</option>`,
        )}
      </select>
    </div>
    <button>Show</button>
  </form>`;
}

/** The names that a field suggests; none where there are too many to send. */
export function applicationOptions(ids: readonly string[]): Html {
  const some = ids.length > 1_000 ? [] : ids;
  return html`<datalist id="applications">
    ${some.map((id) => html`<option value="${id}"></option>`)}
  </datalist>`;
}

/** Decisions as a table, each with a link to its page. */
export function decisionTable(records: readonly Recorded[], now: number): Html {
  if (records.length === 0) return html`<p class="soft">Nothing was decided that is still held.</p>`;
  return html`<table class="stacks">
    <thead>
      <tr>
        <th scope="col">When</th>
        <th scope="col">Outcome</th>
        <th scope="col">Caller</th>
        <th scope="col">Target</th>
        <th scope="col">Reason</th>
      </tr>
    </thead>
    <tbody>
      ${records.map((record) => decisionRow(record, now))}
    </tbody>
  </table>`;
}

function decisionRow(
  { at, outcome, actor = "", target = "", decision, error, description }: Recorded,
  now: number,
): Html {
  // refused after the policy had said yes: the decision is not the reason
  const isItsOwn = decision !== undefined && (decision.outcome === "deny" || outcome === "issued");
  const why = isItsOwn ? decision.reason : `${error ?? outcome}: ${description ?? ""}`;
  return html`<tr>
    <td class="tight">${moment(at, now)}</td>
    <td class="tight">${verdict(outcome)}</td>
    <td data-of="Caller">${applicationLink(actor)}</td>
    <td data-of="Target">${applicationLink(target)}</td>
    <td>
      ${isItsOwn ? html`<a href="/decisions/${encodeURIComponent(decision.id)}">${reasonWords(why)}</a>` : shown(why, 160)}
    </td>
  </tr>`;
}

/** A reason's code as words: `other_namespace` -> `other namespace`. */
export function reasonWords(reason: string): string {
  return shown(reason.replaceAll("_", " "), 60);
}

/** What a grant is called where people read it. */
export function grantWords(grant: string): string {
  const way = wayNames.find((name) => ways[name].grant === grant);
  return way === undefined ? shown(grant) : ways[way].title;
}
