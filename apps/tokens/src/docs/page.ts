import { hash } from "node:crypto";
import type { Answer } from "../answers.ts";

/** The part of an OpenAPI document that the page shows. */
interface Document {
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, { readonly post: Operation }>>;
}

interface Operation {
  readonly summary: string;
  readonly description: string;
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: Shape }>> };
}

interface Shape {
  readonly properties: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
}

interface Property {
  readonly description?: string;
  readonly type?: string;
  readonly anyOf?: readonly Property[];
}

const style = `:root{color-scheme:light dark}
body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin:2.5rem 0 .25rem}
code{font-size:.95em}
label{display:block;margin-top:1rem;font-weight:600}
label+p{margin:.1rem 0 .25rem;font-size:.9rem}
input,textarea,select{font:inherit;width:100%;box-sizing:border-box;padding:.4rem;border:1px solid #767676;border-radius:.25rem}
textarea{min-height:5rem;overflow-wrap:anywhere}
button{font:inherit;margin-top:1rem;padding:.5rem 1.25rem}
:focus-visible{outline:3px solid #1a73c7;outline-offset:2px}`;

/**
 * The page that describes the API, with a form for each endpoint. It is plain HTML: the forms post what an application
 * would, and the browser shows the answer. Nothing is loaded from elsewhere, and no script runs.
 */
export function docsPage(document: unknown): Answer {
  const { info, paths } = document as Document;
  const sections = Object.entries(paths).map(([path, { post }]) => section(path, post));
  const body = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape(info.title)}</title><style>${style}</style></head>
<body><main><h1>${escape(info.title)}</h1>
<p>Version ${escape(info.version)}. The same as a document for programs: <a href="/docs/openapi.json">openapi.json</a>.
What the forms send is real: the answers hold this application's tokens.</p>
${sections.join("\n")}</main></body></html>`;
  const policy = `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`;
  const headers = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
  };
  return { status: 200, body, headers };
}

function section(path: string, { summary, description, requestBody }: Operation): string {
  const id = path.replaceAll("/", "-").slice(1);
  const { properties, required = [] } = requestBody.content["application/json"]?.schema ?? { properties: {} };
  const fields = Object.entries(properties).map(([name, property]) =>
    field(`${id}-${name}`, name, property, required.includes(name)),
  );
  return `<section aria-labelledby="${id}"><h2 id="${id}">${escape(summary)}</h2>
<p><code>POST ${escape(path)}</code></p><p>${prose(description)}</p>
<form method="post" action="${escape(path)}" autocomplete="off">${fields.join("\n")}
<button>Send</button></form></section>`;
}

function field(id: string, name: string, property: Property, required: boolean): string {
  const kind = property.type ?? property.anyOf?.[0]?.type ?? "string";
  const attributes = `id="${id}" name="${name}" aria-describedby="${id}-d"${required ? " required" : ""}`;
  const input =
    kind === "boolean"
      ? `<select ${attributes}><option></option><option>true</option><option>false</option></select>`
      : kind !== "string" || name.endsWith("token")
        ? `<textarea ${attributes} spellcheck="false"></textarea>`
        : `<input ${attributes} spellcheck="false">`;
  const asJson = kind === "object" || (kind === "array" && name !== "resource") ? " As JSON." : "";
  return `<label for="${id}"><code>${name}</code>${required ? " (required)" : ""}</label>
<p id="${id}-d">${prose((property.description ?? "") + asJson)}</p>${input}`;
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
