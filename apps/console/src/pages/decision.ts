import { meaningOf } from "@portvakt/explain";
import { mayCall, wayNames, ways, type Landscape } from "@portvakt/policy";
import { html } from "hono/html";
import type { Sources } from "../data/sources.ts";
import type { Recorded } from "../data/tokenx.ts";
import { callAnswers } from "./call.ts";
import { grantWords, reasonWords, withoutTokenx } from "./decisions.ts";
import type { Html, Page } from "./page.ts";
import { applicationLink, facts, moment, notice, patch, placeOf, shown, verdict } from "./parts.ts";

/** The form of a decision's id. */
const idForm = /^[0-9a-z]{1,64}$/;

/** `/decisions/:id`: cause, whose move it is, and what would change it. */
export async function decision(id: string, { current, tokenx, now }: Sources): Promise<Page> {
  const told = idForm.test(id)
    ? ((await tokenx?.decision(id)) ?? { trouble: withoutTokenx })
    : { value: undefined };
  const page = { title: `Decision ${shown(id, 64)}`, at: "/decisions" as const };
  if ("trouble" in told) return { ...page, status: 502, body: notice(told.trouble, "no") };
  const made = told.value?.decision;
  if (told.value === undefined || made === undefined)
    return {
      ...page,
      status: 404,
      body: notice(
        html`TokenX holds no decision with this id. It keeps refusals for a week, and what it allowed for the
          last thousand requests, of a busy second twenty. A decision of Entra ID is not in its log:
          <a href="/access">ask the policy</a> about the two applications.`,
      ),
    };
  const { landscape } = await current();
  return { ...page, body: decisionBody(told.value, made, landscape, now()) };
}

type Made = NonNullable<Recorded["decision"]>;

function decisionBody(record: Recorded, made: Made, landscape: Landscape, now: number): Html {
  const { actor, target, explanation, rule, reason, grant } = made;
  return html`${notice(shown(explanation), made.outcome === "deny" ? "no" : "yes")}
    <section class="card">
      <h2>What was decided</h2>
      ${facts({
        Outcome: verdict(made.outcome),
        Caller: applicationLink(actor),
        Target: applicationLink(target),
        Way: grantWords(grant),
        Reason: html`<a href="/explain/${encodeURIComponent(reason)}">${reasonWords(reason)}</a>`,
        Rule: rule === undefined ? undefined : placeOf(rule),
        When: html`${moment(record.at, now)}
          <span class="soft">${new Date(record.at * 1000).toISOString()}</span>`,
        "Correlation id":
          record.correlation_id === undefined
            ? undefined
            : html`<code>${shown(record.correlation_id)}</code>`,
      })}
    </section>
    ${changeCard(made, landscape, now)}`;
}

/** What the manifests here say of the same call; without them, what the decision itself said. */
function changeCard(made: Made, landscape: Landscape, now: number): Html {
  const { actor, target, grant, outcome, owner, fix, reason } = made;
  if (landscape.applications.has(target)) {
    const way = wayNames.find((name) => ways[name].grant === grant) ?? "itself";
    return html`<section class="card">
      <h2>The same call by the manifests now</h2>
      ${callAnswers([mayCall(landscape, { actor, target, way, now })])}
    </section>`;
  }
  if (outcome === "allow") return html``;
  return html`<section class="card">
    <h2>What would change it</h2>
    <p>Whose move: <strong>${shown(owner)}</strong>. ${meaningOf(reason)?.fix}</p>
    ${fix === undefined ? "" : patch(fix)}
  </section>`;
}
