import { html } from "hono/html";
import type { Application, Landscape } from "@portvakt/policy";
import type { ServerHealth } from "../data/health.ts";
import type { Sources } from "../data/sources.ts";
import { decisionTable } from "./decisions.ts";
import type { Html, Page } from "./page.ts";
import { counted, firstOf, health, notice, pageOf, placeOf, shown, tags, webLink } from "./parts.ts";

const mostApplications = 200;
const mostWarnings = 20;

/** `/`: every application and how its servers are. */
export async function overview(
  request: Request,
  { current, tokenx, health: ask, now }: Sources,
): Promise<Page> {
  const [{ landscape, problems }, servers, refusals] = await Promise.all([
    current(),
    ask(),
    tokenx?.decisions({ outcome: "deny" }),
  ]);
  const wanted = (new URL(request.url).searchParams.get("q") ?? "").trim().slice(0, 200).toLowerCase();
  const all = [...landscape.applications.values()];
  const found = all.filter(({ id, team = "" }) => `${id} ${team}`.toLowerCase().includes(wanted));
  const platform = servers.filter(({ application }) => application === undefined);
  return {
    title: "Overview",
    at: "/",
    lead: `${counted(all.length, "application")}, ${counted(platform.length, "server")} of the platform.`,
    body: html`${problemsCard(problems)} ${serversCard(platform)}
      <section class="card">
        <h2>Applications</h2>
        ${searchForm(wanted)}
        ${all.length === 0 ? html`<p class="soft">No manifest declares an application.</p>` : applicationTable(found, servers)}
      </section>
      ${
        refusals === undefined
          ? ""
          : html`<section class="card">
              <h2>Refused last</h2>
              ${
                "trouble" in refusals
                  ? html`<p>${refusals.trouble}</p>`
                  : html`${decisionTable(refusals.value.slice(0, 5), now())}
                      <p><a href="/decisions">All decisions</a></p>`
              }
            </section>`
      }
      ${warningsCard(landscape)}`,
  };
}

/** What is wrong with the manifests as they are written. */
function problemsCard(problems: readonly string[]): Html {
  if (problems.length === 0) return html``;
  const { some, more } = firstOf(problems, mostWarnings);
  return html`<div class="card notice no" role="alert">
    <h2>The manifests have mistakes. What was in force before is shown.</h2>
    <ul>
      ${some.map((problem) => html`<li>${shown(problem)}</li>`)}
      ${more > 0 ? html`<li>and ${more} more</li>` : ""}
    </ul>
  </div>`;
}

function serversCard(servers: readonly ServerHealth[]): Html {
  if (servers.length === 0) return html``;
  return html`<section class="card">
    <h2>The platform's servers</h2>
    ${serverTable(servers)}
  </section>`;
}

/** Servers, how they are and where. */
export function serverTable(servers: readonly ServerHealth[]): Html {
  return html`<table class="stacks">
    <thead>
      <tr>
        <th scope="col">Server</th>
        <th scope="col">State</th>
        <th scope="col">Address</th>
      </tr>
    </thead>
    <tbody>
      ${servers.map(
        (server) =>
          html`<tr>
            <th scope="row">${server.name}</th>
            <td>${health(server)}</td>
            <td>${server.address === undefined ? "" : webLink(server.address)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function searchForm(wanted: string): Html {
  return html`<form class="row" action="/" method="get" role="search">
    <div>
      <label for="q">Find by name, namespace or team</label
      ><input id="q" name="q" value="${wanted}" maxlength="200" autocomplete="off" />
    </div>
    <button>Find</button>
  </form>`;
}

function applicationTable(found: readonly Application[], servers: readonly ServerHealth[]): Html {
  if (found.length === 0) return notice("No application here has that in its name.");
  const { some, more } = firstOf(found, mostApplications);
  return html`<table class="stacks">
      <thead>
        <tr>
          <th scope="col">Application</th>
          <th scope="col">Team</th>
          <th scope="col">State</th>
          <th scope="col">Uses</th>
          <th scope="col">Address</th>
        </tr>
      </thead>
      <tbody>
        ${some.map((application) =>
          applicationRow(
            application,
            servers.filter((server) => server.application === application.id),
          ),
        )}
      </tbody>
    </table>
    ${more > 0 ? html`<p class="soft">and ${more} more; find them by name.</p>` : ""}`;
}

function applicationRow(application: Application, servers: readonly ServerHealth[]): Html {
  const { id, name, namespace, team = "" } = application;
  const address = servers.find((server) => server.address !== undefined)?.address ?? application.ingresses[0];
  return html`<tr>
    <th scope="row"><a href="${pageOf(id)}">${name}</a> <span class="soft">${namespace}</span></th>
    <td data-of="Team">${team}</td>
    <td>${stateOf(servers)}</td>
    <td>${tags(usesOf(application))}</td>
    <td>${address === undefined ? "" : webLink(address)}</td>
  </tr>`;
}

/** Ready when every server of the application that was asked is. */
function stateOf(servers: readonly ServerHealth[]): Html {
  const asked = servers.filter(({ isReady }) => isReady !== undefined);
  const away = asked.filter(({ isReady }) => isReady === false);
  if (asked.length === 0) return html`<span class="dot soft">not asked</span>`;
  if (away.length === 0) return html`<span class="dot good">ready</span>`;
  return html`<span class="dot bad">not ready</span>
    <span class="soft">${away.map(({ name }) => name).join(", ")}</span>`;
}

/** The providers that an application is registered with. */
export function usesOf({ idporten, azure, tokenx, maskinporten, mcp }: Application): string[] {
  const uses: readonly (readonly [string, boolean | undefined])[] = [
    ["ID-porten", idporten?.enabled],
    ["Entra ID", azure?.enabled],
    ["TokenX", tokenx?.enabled],
    ["Maskinporten", maskinporten?.enabled],
    ["MCP", mcp],
  ];
  return uses.flatMap(([name, isUsed]) => (isUsed === true ? [name] : []));
}

function warningsCard({ policy }: Landscape): Html {
  const { some, more } = firstOf(policy.warnings, mostWarnings);
  if (some.length === 0) return html``;
  return html`<section class="card">
    <h2>Worth a look</h2>
    <table class="stacks">
      <thead>
        <tr>
          <th scope="col">What</th>
          <th scope="col">Where</th>
        </tr>
      </thead>
      <tbody>
        ${some.map(
          ({ message, rule }) =>
            html`<tr>
              <td>${shown(message)}</td>
              <td>${placeOf(rule)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
    ${more > 0 ? html`<p class="soft">and ${more} more</p>` : ""}
  </section>`;
}
