import { ways, type Application, type Landscape } from "@portvakt/policy";
import { html } from "hono/html";
import { neighboursOf, type Neighbour } from "../data/neighbours.ts";
import type { Sources } from "../data/sources.ts";
import type { Registered, Told } from "../data/tokenx.ts";
import { decisionTable } from "./decisions.ts";
import { serverTable, usesOf } from "./overview.ts";
import type { Html, Page } from "./page.ts";
import { applicationLink, counted, facts, firstOf, moment, notice, placeOf, shown, tags } from "./parts.ts";

const mostNeighbours = 200;
const mostDecisions = 10;

/** `/applications/:id`: who may call it, whom it may call, what it uses, what was decided about it. */
export async function applicationPage(id: string, sources: Sources): Promise<Page> {
  const { tokenx, now } = sources;
  const { landscape } = await sources.current();
  const application = landscape.applications.get(id);
  if (application === undefined) return undeclared(id, landscape, now());
  const [servers, client, decided] = await Promise.all([
    sources.health(),
    tokenx?.client(id),
    tokenx?.decisions({ application: id }),
  ]);
  const own = servers.filter((server) => server.application === id);
  return {
    title: application.name,
    at: "/",
    lead: html`<code>${id}</code>`,
    body: html`${
        own.length === 0
          ? ""
          : html`<section class="card">
              <h2>Servers</h2>
              ${serverTable(own)}
            </section>`
      }
      <div class="cards">${declarationCard(application)} ${providersCard(application, client, now())}</div>
      ${neighbourCards(application, landscape, now())}
      ${
        decided === undefined
          ? ""
          : html`<section class="card">
              <h2>Decided last</h2>
              ${
                "trouble" in decided
                  ? html`<p>${decided.trouble}</p>`
                  : html`${decisionTable(decided.value.slice(0, mostDecisions), now())}
                      <p>
                        <a href="/decisions?application=${encodeURIComponent(id)}">All of its decisions</a>
                      </p>`
              }
            </section>`
      }`,
  };
}

/** One that no manifest declares may still be named by rules. */
function undeclared(id: string, landscape: Landscape, now: number): Page {
  const { called } = neighboursOf(id, landscape, now);
  return {
    title: shown(id, 200),
    at: "/",
    status: 404,
    body: html`${notice("No manifest here declares this application.")}
    ${called.length === 0 ? "" : neighbourCard("Whom it may call", called, (other) => ({ from: id, to: other }), "")}`,
  };
}

function declarationCard({
  kind,
  team,
  cluster,
  namespace,
  image,
  ingresses,
  source,
  outbound,
}: Application): Html {
  const external = outbound.external.map(({ host }) => host);
  return html`<section class="card">
    <h2>Manifest</h2>
    ${facts({
      Declared: placeOf(source),
      Kind: kind,
      Team: team,
      Cluster: cluster,
      Namespace: namespace,
      Image: image === undefined || image === "local" ? undefined : html`<code>${shown(image)}</code>`,
      Ingresses:
        ingresses.length === 0 ? undefined : html`${ingresses.map((url) => html`<div>${url}</div>`)}`,
      "Calls outside": external.length === 0 ? undefined : external.join(", "),
    })}
  </section>`;
}

function providersCard(
  application: Application,
  client: Told<Registered | undefined> | undefined,
  now: number,
): Html {
  const { idporten, azure, maskinporten } = application;
  const consumed = maskinporten?.consumes.map(({ name }) => name) ?? [];
  const exposed = maskinporten?.exposes.map(({ name }) => name) ?? [];
  const uses = usesOf(application);
  const people = [
    idporten?.sidecar?.enabled === true ? `citizens${levelOf(idporten.sidecar.level)}` : undefined,
    azure?.sidecar?.enabled === true ? "employees" : undefined,
  ].filter((who) => who !== undefined);
  return html`<section class="card">
    <h2>Providers</h2>
    ${facts({
      Uses: uses.length === 0 ? "none" : tags(uses),
      "Signs in": people.length === 0 ? undefined : people.join(", "),
      Employees: azure?.enabled === true ? admittedUsers(azure) : undefined,
      "Scopes it uses": consumed.length === 0 ? undefined : codes(consumed),
      "Scopes it offers": exposed.length === 0 ? undefined : codes(exposed),
      "At TokenX": client === undefined ? undefined : registered(client, now),
    })}
  </section>`;
}

function levelOf(level: string | undefined): string {
  return level === undefined ? "" : ` at ${level}`;
}

function admittedUsers({ allowAllUsers, groups }: NonNullable<Application["azure"]>): Html {
  if (allowAllUsers) return html`every user of the tenant`;
  return groups.length === 0 ? html`none but those assigned` : html`members of ${codes(groups)}`;
}

function codes(words: readonly string[]): Html {
  return html`${words.map((word) => html`<div><code>${shown(word)}</code></div>`)}`;
}

function registered(client: Told<Registered | undefined>, now: number): Html {
  if ("trouble" in client) return html`${client.trouble}`;
  if (client.value === undefined) return html`<span class="warn">not registered</span>`;
  const { client_id_issued_at: at, jwks } = client.value;
  return html`registered ${moment(at, now)}, with ${counted(jwks.keys.length, "key")}`;
}

function neighbourCards(application: Application, landscape: Landscape, now: number): Html {
  const { id, cluster, namespace } = application;
  const home = `${cluster}:${namespace}`;
  const { callers, called, hoped } = neighboursOf(id, landscape, now);
  return html`${neighbourCard("Who may call it", callers, (other) => ({ from: other, to: id }), home)}
  ${neighbourCard("Whom it may call", called, (other) => ({ from: id, to: other }), home)}
  ${
    hoped.length === 0
      ? ""
      : html`<div class="card notice">
          <h2>Means to call, and may not</h2>
          <ul>
            ${hoped
              .slice(0, mostNeighbours)
              .map(
                (target) =>
                  html`<li>
                    ${applicationLink(target, home)}: <a href="${questionAddress(id, target)}">why not</a>
                  </li>`,
              )}
          </ul>
        </div>`
  }`;
}

function neighbourCard(
  title: string,
  all: readonly Neighbour[],
  sides: (other: string) => { readonly from: string; readonly to: string },
  home: string,
): Html {
  const { some, more } = firstOf(all, mostNeighbours);
  const row = (one: Neighbour): Html => {
    const { from, to } = sides(one.id);
    return html`<tr>
      <th scope="row">${applicationLink(one.id, home)}</th>
      <td>${waysOf(one)}</td>
      <td>${one.isWildcard ? html`<span class="warn">by a *</span> ` : ""}${placeOf(one.rule)}</td>
      <td><a href="${questionAddress(from, to)}">details</a></td>
    </tr>`;
  };
  return html`<section class="card">
    <h2>${title}</h2>
    ${
      some.length === 0
        ? html`<p class="soft">Nobody.</p>`
        : html`<table class="stacks">
            <thead>
              <tr>
                <th scope="col">Application</th>
                <th scope="col">In which ways</th>
                <th scope="col">By which rule</th>
                <th scope="col">Answer</th>
              </tr>
            </thead>
            <tbody>
              ${some.map(row)}
            </tbody>
          </table>`
    }
    ${more > 0 ? html`<p class="soft">and ${more} more</p>` : ""}
  </section>`;
}

function waysOf({ open, roles, scopes }: Neighbour): Html {
  const permissions = [...roles.map((role) => `role ${role}`), ...scopes.map((scope) => `scope ${scope}`)];
  return html`${open.length === 0 ? html`<span class="warn">no provider in common</span>` : open.map((way) => ways[way].title).join(", ")}
  ${permissions.length === 0 ? "" : html`<span class="soft">${shown(permissions.join(", "))}</span>`}`;
}

/** The address of the question whether one may call the other. */
export function questionAddress(from: string, to: string): string {
  return `/access?${new URLSearchParams({ from, to }).toString()}`;
}
