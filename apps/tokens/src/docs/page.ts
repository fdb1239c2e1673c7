import { hash } from "node:crypto";
import type { Answer } from "../answers.ts";
import type { OpenApiDocument, Operation, Shape } from "./openapi.ts";

// The colours of the login proxy's pages; contrast at least 7:1 in light and dark.
const style = `:root{color-scheme:light dark;--ink:#1b1f24;--soft:#4a525c;--paper:#f7f6f3;--card:#fff;--line:#8a8780;--accent:#0b4f6c;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#f1efe9;--soft:#c3c8cf;--paper:#15181c;--card:#1e2227;--line:#7b838d;--accent:#9fd3ea;--on:#10242e}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif;overflow-wrap:anywhere}
main{max-width:72rem;margin:0 auto;padding:clamp(1rem,4vw,2.5rem)}
h1{margin:0 0 .5rem;font-size:clamp(1.5rem,5vw,2rem);line-height:1.2;letter-spacing:-.01em}
h2{margin:0;font-size:1.25rem;line-height:1.3}
p{margin:.5rem 0;max-width:46rem}
a{color:var(--accent);text-underline-offset:.2em}
code,pre,input,textarea,select{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9rem}
section{margin-top:1.5rem;padding:clamp(1rem,3vw,1.75rem);background:var(--card);border:1px solid var(--line);border-radius:12px}
.call{margin-top:1rem;display:grid;gap:1.5rem}
pre{margin:.75rem 0 0;padding:.75rem;white-space:pre-wrap;background:var(--paper);border-radius:8px}
label{display:block;margin-top:1rem;font-weight:600}
form>label:first-child{margin-top:0}
.check{display:flex;gap:.6rem;align-items:baseline}
.about{margin:.1rem 0 .3rem;font-size:.9rem;color:var(--soft)}
input,textarea,select{width:100%;padding:.5rem .6rem;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px}
input[type=checkbox]{width:1.1rem;height:1.1rem;flex:none;accent-color:var(--accent)}
textarea{min-height:5rem;resize:vertical}
summary{margin-top:1rem;cursor:pointer;color:var(--accent)}
button{margin-top:1.25rem;min-height:2.75rem;padding:.5rem 1.5rem;font:inherit;font-weight:600;color:var(--on);background:var(--accent);border:0;border-radius:8px;cursor:pointer}
h3{margin:0 0 .3rem;font-size:1rem}
iframe{width:100%;height:14rem;background:var(--paper);border:1px solid var(--line);border-radius:8px}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
@media(min-width:60rem){.call{grid-template-columns:1fr 1fr}iframe{height:calc(100% - 2rem);min-height:14rem}}`;

/**
 * The page that describes the API, with a form for each endpoint. It is plain HTML: the forms post what an application
 * would, and a frame beside them shows the answer. Nothing is loaded from elsewhere, and no script runs.
 */
export function docsPage({ info, paths, components }: OpenApiDocument): Answer {
  const sections = Object.entries(paths).map(([path, { post }]) =>
    section(path, post, components.schemas[schemaName(post)] ?? {}),
  );
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(info.title)}</title><style>${style}</style></head>
<body><main><h1>${escape(info.title)}</h1>
<p>Version ${escape(info.version)}, also <a href="/docs/openapi.json">as an OpenAPI document</a>. Requests are JSON or forms.
What is sent from here is real: the answers hold this application's tokens.</p>
${sections.join("\n")}</main></body></html>`;
  const policy = `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; form-action 'self'; frame-src 'self'; frame-ancestors 'none'; base-uri 'none'`;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
  };
  return { status: 200, body, headers };
}

const json = (post: Operation) => post.requestBody.content["application/json"];
const schemaName = (post: Operation): string => json(post)?.schema.$ref.split("/").at(-1) ?? "";

function section(path: string, post: Operation, { properties = {}, required = [] }: Shape): string {
  const { operationId: id, summary, description, "x-providers": providers } = post;
  const fields = Object.entries(properties).map(([name, shape]) => {
    const needed = required.includes(name) || (name === "identity_provider" && providers !== undefined);
    // A parameter without a value counts as left out (RFC 6749 section 3.2).
    const nothing = required.includes(name) ? [] : [""];
    const choices =
      name === "identity_provider" && providers !== undefined ? [...providers, ...nothing] : undefined;
    return { needed, html: field({ id: `${id}-${name}`, name, shape, needed, choices }) };
  });
  const html = (needed: boolean): string =>
    fields.flatMap((one) => (one.needed === needed ? [one.html] : [])).join("\n");
  const optional = html(false);
  const form = `<form method="post" action="${escape(path)}" target="${id}-answer" autocomplete="off">${html(true)}
${optional === "" ? "" : `<details><summary>What may be left out</summary>${optional}</details>`}<button>Send</button></form>
<div><h3 id="${id}-shown">Answer</h3><iframe name="${id}-answer" aria-labelledby="${id}-shown" title="Answer"></iframe></div>`;
  const nobody = `<p>None of the providers that are set up for this application does this.</p>`;
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escape(summary)}</h2>
<p><code>POST ${escape(path)}</code></p><p>${prose(description)}</p>
${providers?.length === 0 ? nobody : `${command(path, post)}<div class="call">${form}</div>`}</section>`;
}

/** The same from a shell, in the application's container. */
function command(path: string, post: Operation): string {
  const variable = post["x-variable"];
  const beside = `"\${NAIS_TOKEN_ENDPOINT%/token}/${path.split("/").at(-1)}"`;
  const address = variable === undefined ? beside : `"$${variable}"`;
  return `<pre>curl ${escape(address)} --json '${escape(JSON.stringify(json(post)?.example))}'</pre>`;
}

interface Field {
  readonly id: string;
  readonly name: string;
  readonly shape: Shape;
  readonly needed: boolean;
  readonly choices: readonly string[] | undefined;
}

function field({ id, name, shape, needed, choices }: Field): string {
  const kind = kindOf(shape);
  const attributes = `id="${id}" name="${name}" aria-describedby="${id}-d"${needed && choices?.includes("") !== true ? " required" : ""}`;
  const asJson = kind === "object" || (kind === "array" && name !== "resource") ? " As JSON." : "";
  const about = `<p class="about" id="${id}-d">${prose((shape.description ?? "") + asJson)}</p>`;
  if (kind === "boolean")
    return `<label class="check" for="${id}"><input type="checkbox" value="true" ${attributes}><code>${name}</code></label>${about}`;
  const label = `<label for="${id}"><code>${name}</code>${needed ? "" : " (optional)"}</label>${about}`;
  if (choices !== undefined) {
    const options = choices.map((choice) => `<option>${escape(choice)}</option>`);
    return `${label}<select ${attributes}>${options.join("")}</select>`;
  }
  return asJson !== "" || name.endsWith("token")
    ? `${label}<textarea ${attributes} spellcheck="false"></textarea>`
    : `${label}<input ${attributes} spellcheck="false">`;
}

/** What a value is, where it is something: `null` stands for what is left out. */
function kindOf({ type, anyOf = [] }: Shape): string {
  const [first] = [type ?? []].flat();
  return first ?? (anyOf[0] === undefined ? "string" : kindOf(anyOf[0]));
}

/** A description: what stands between backticks is code. */
function prose(text: string): string {
  return escape(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
