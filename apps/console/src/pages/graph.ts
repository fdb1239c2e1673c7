import { createHash } from "node:crypto";
import { graphOf, graphSvg, nextTo, ways, type Graph, type Landscape } from "@portvakt/policy";
import { html } from "hono/html";
import { applicationNamed } from "../data/names.ts";
import type { Sources } from "../data/sources.ts";
import { questionAddress } from "./application.ts";
import { applicationOptions } from "./decisions.ts";
import { everyHeader, type Html, type Page } from "./page.ts";
import { applicationLink, counted, firstOf, notice, shown } from "./parts.ts";

/** A picture of more is no picture. */
const mostDrawn = 300;
const mostPairs = 500;

/** The whole graph of a landscape, made once. */
const graphs = new WeakMap<Landscape, Graph>();

function wholeGraph(landscape: Landscape): Graph {
  return graphs.getOrInsertComputed(landscape, graphOf);
}

/** The part that a request asks for, by its `focus`. */
function graphFor(request: Request, landscape: Landscape): { graph: Graph; focus: string; trouble?: string } {
  const word = (new URL(request.url).searchParams.get("focus") ?? "").trim().slice(0, 200);
  const whole = wholeGraph(landscape);
  if (word === "") return { graph: whole, focus: "" };
  const named = applicationNamed(word, landscape);
  if ("trouble" in named) return { graph: whole, focus: word, trouble: named.trouble };
  return { graph: nextTo(whole, named.id), focus: named.id };
}

/** `/graph`: who may call whom, as a picture and as a table. */
export async function graphPage(request: Request, { current }: Sources): Promise<Page> {
  const { landscape } = await current();
  const { graph, focus, trouble } = graphFor(request, landscape);
  const address =
    focus === "" || trouble !== undefined ? "/graph.svg" : `/graph.svg?focus=${encodeURIComponent(focus)}`;
  const isDrawn = graph.nodes.length > 0 && graph.nodes.length <= mostDrawn;
  const words = `Who may call whom: ${counted(graph.nodes.length, "application")}, ${counted(graph.edges.length, "pair")}. The table below says the same.`;
  return {
    title: "Who may call whom",
    at: "/graph",
    lead: "What the manifests admit. Colours say on whose behalf.",
    body: html`<form class="row" action="/graph" method="get">
        <div>
          <label for="focus">Only around one application</label>
          <input
            id="focus"
            name="focus"
            list="applications"
            value="${focus}"
            maxlength="200"
            autocomplete="off"
          />
          ${applicationOptions([...landscape.applications.keys()])}
        </div>
        <button>Show</button>
      </form>
      ${trouble === undefined ? "" : notice(shown(trouble), "no")}
      ${
        isDrawn
          ? html`<div class="card picture">
              <a href="${address}"><img src="${address}" alt="${words}" /></a>
            </div>`
          : notice(
              graph.nodes.length === 0
                ? "No manifest declares an application."
                : `More than ${mostDrawn} applications are too many for one picture. Name one above.`,
            )
      }
      ${pairs(graph)}`,
  };
}

function pairs({ edges, open }: Graph): Html {
  const { some, more } = firstOf(edges, mostPairs);
  return html`<section class="card">
    <h2>As a table</h2>
    ${
      open.length === 0
        ? ""
        : html`<ul>
            ${open.map(({ id, admits }) => html`<li>${applicationLink(id)} <span class="warn">${shown(admits)}</span></li>`)}
          </ul>`
    }
    <table class="stacks">
      <thead>
        <tr>
          <th scope="col">Caller</th>
          <th scope="col">May call</th>
          <th scope="col">In which ways</th>
          <th scope="col">Answer</th>
        </tr>
      </thead>
      <tbody>
        ${some.map(
          ({ from, to, ways: open }) =>
            html`<tr>
              <th scope="row">${applicationLink(from)}</th>
              <td data-of="May call">${applicationLink(to)}</td>
              <td>
                ${open.length === 0 ? html`<span class="warn">no provider in common</span>` : open.map((way) => ways[way].title).join(", ")}
              </td>
              <td><a href="${questionAddress(from, to)}">details</a></td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${more > 0 ? html`<p class="soft">and ${more} more; name an application above.</p>` : ""}
  </section>`;
}

/** `/graph.svg`: the picture by itself; its own style is all that it may use. */
export async function graphPicture(request: Request, { current }: Sources): Promise<Response> {
  const { landscape } = await current();
  const { graph } = graphFor(request, landscape);
  if (graph.nodes.length > mostDrawn)
    return new Response("too many applications for one picture\n", { status: 422, headers: everyHeader });
  const picture = graphSvg(graph);
  const [, style = ""] = /<style>([^]*?)<\/style>/.exec(picture) ?? [];
  const hash = createHash("sha256").update(style).digest("base64");
  return new Response(picture, {
    headers: {
      ...everyHeader,
      "content-type": "image/svg+xml",
      "content-security-policy": `default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'`,
    },
  });
}
