import { mayCall, waysBetween, type Landscape } from "@portvakt/policy";
import { html } from "hono/html";
import { applicationNamed } from "../data/names.ts";
import type { Sources } from "../data/sources.ts";
import { callAnswers } from "./call.ts";
import { applicationOptions } from "./decisions.ts";
import type { Html, Page } from "./page.ts";
import { applicationLink, notice, shown } from "./parts.ts";

const mostScopes = 20;

interface Asked {
  readonly from: string;
  readonly to: string;
  readonly scope: string;
}

/** `/access`: may A call B? Asked by GET, so that an answer can be linked to. */
export async function access(request: Request, { current, now }: Sources): Promise<Page> {
  const query = new URL(request.url).searchParams;
  const field = (name: keyof Asked): string => (query.get(name) ?? "").trim().slice(0, 400);
  const asked: Asked = { from: field("from"), to: field("to"), scope: field("scope") };
  const { landscape } = await current();
  const isAsked = asked.from !== "" && asked.to !== "";
  return {
    title: "May A call B?",
    at: "/access",
    lead: html`The policy's answer, and the manifest line that would change it: the same as TokenX gives, and
      <code>portvakt can</code>.`,
    body: html`${form(asked, [...landscape.applications.keys()])}
    ${isAsked ? answer(asked, landscape, now()) : ""}`,
  };
}

function form({ from, to, scope }: Asked, ids: readonly string[]): Html {
  const field = (name: string, label: string, value: string): Html =>
    html`<div>
      <label for="${name}">${label}</label>
      <input
        id="${name}"
        name="${name}"
        list="applications"
        value="${value}"
        maxlength="200"
        required
        autocomplete="off"
      />
    </div>`;
  return html`<form class="row" action="/access" method="get">
    ${field("from", "A, who calls", from)} ${field("to", "B, who is called", to)}
    <div>
      <label for="scope">Scopes <span class="soft">(may be empty)</span></label>
      <input id="scope" name="scope" value="${scope}" maxlength="400" autocomplete="off" />
    </div>
    <button>Ask</button>
    ${applicationOptions(ids)}
  </form>`;
}

function answer({ from, to, scope: asked }: Asked, landscape: Landscape, now: number): Html {
  const [actor, target] = [applicationNamed(from, landscape), applicationNamed(to, landscape)];
  const trouble = [actor, target].flatMap((named) => ("trouble" in named ? [named.trouble] : []));
  if ("trouble" in actor || "trouble" in target)
    return html`${trouble.map((sentence) => notice(shown(sentence), "no"))}`;
  const scope = asked
    .split(/\s+/)
    .filter((one) => one !== "")
    .slice(0, mostScopes);
  const sides = [actor.id, target.id]
    .map((id) => landscape.applications.get(id))
    .filter((side) => side !== undefined);
  const calls = waysBetween(sides).map((way) =>
    mayCall(landscape, { actor: actor.id, target: target.id, way, now, ...(scope.length > 0 && { scope }) }),
  );
  const isOpen = calls.some((call) => call.outcome === "allow");
  return html`${notice(
      html`${isOpen ? "Yes" : "No"}: ${applicationLink(actor.id)} ${isOpen ? "may call" : "may not call"}
      ${applicationLink(target.id)}.`,
      isOpen ? "yes" : "no",
    )}
    <section class="card">
      <h2>In which ways</h2>
      ${callAnswers(calls)}
    </section>`;
}
