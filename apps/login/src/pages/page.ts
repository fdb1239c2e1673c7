import { createHash } from "node:crypto";
import { pickLanguage, texts, type Language, type Trouble } from "./texts.ts";

// Two system fonts, one column, one accent; contrast at least 7:1 in light and dark.
const style = `:root{color-scheme:light dark;--ink:#1b1f24;--soft:#4a525c;--paper:#f7f6f3;--card:#fff;--line:#d9d6cf;--accent:#0b4f6c;--on:#fff}
@media (prefers-color-scheme:dark){:root{--ink:#f1efe9;--soft:#c3c8cf;--paper:#15181c;--card:#1e2227;--line:#3a4048;--accent:#9fd3ea;--on:#10242e}}
*{box-sizing:border-box}body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);font:1.0625rem/1.6 system-ui,-apple-system,"Segoe UI",sans-serif}
main{width:100%;overflow-wrap:anywhere;hyphens:auto;max-width:34rem;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:clamp(1.5rem,6vw,3rem)}
h1{margin:0 0 .75rem;font-size:clamp(1.5rem,5vw,1.875rem);line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
p{margin:0 0 1.5rem}ul{list-style:none;margin:0;padding:0;display:grid;gap:.75rem}
a{color:var(--accent);text-underline-offset:.2em}a:focus-visible{outline:3px solid var(--accent);outline-offset:3px;border-radius:6px}
.go{display:inline-block;min-height:2.75rem;padding:.6rem 1.25rem;border-radius:8px;background:var(--accent);color:var(--on);font-weight:600;text-decoration:none}.go:hover{text-decoration:underline}
.actions{display:flex;flex-wrap:wrap;gap:.75rem 1.5rem;align-items:center}ul .go{display:block}
.reference{margin:2rem 0 0;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.9375rem}code{font-family:ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere;color:var(--ink)}`;
const styleHash = createHash("sha256").update(style).digest("base64");

/** What the error page says and offers. */
export interface ErrorPage {
  readonly status: number;
  readonly trouble: Trouble;
  readonly acceptLanguage: string | undefined;
  readonly correlationId: string;
  /** Where "try again" goes; none for what trying again cannot mend. */
  readonly retry: string | undefined;
  readonly home: string;
}

/** The page for people when signing in or out did not work. Says nothing of causes; those are in the log under the reference. */
export function errorPage(page: ErrorPage): Response {
  const language = pickLanguage(page.acceptLanguage);
  const words = texts[language];
  const { title, text } = words.troubles[page.trouble];
  const retry =
    page.retry === undefined ? "" : `<a class="go" href="${escape(page.retry)}">${words.retry}</a>`;
  const body = `<h1>${title}</h1>
<p>${text}</p>
<div class="actions">${retry}<a href="${escape(page.home)}">${words.home}</a></div>
<p class="reference">${words.reference}<br><code>${escape(page.correlationId)}</code></p>`;
  return html(page.status, language, title, body);
}

/** The neutral page where the user picks one of several providers. */
export function chooserPage(options: {
  readonly acceptLanguage: string | undefined;
  readonly choices: readonly { readonly title: string; readonly href: string }[];
}): Response {
  const language = pickLanguage(options.acceptLanguage);
  const words = texts[language];
  const items = options.choices.map(
    (one) => `<li><a class="go" href="${escape(one.href)}">${escape(one.title)}</a></li>`,
  );
  const body = `<h1>${words.choose}</h1>\n<p>${words.chooseText}</p>\n<ul>\n${items.join("\n")}\n</ul>`;
  return html(200, language, words.choose, body);
}

function html(status: number, language: Language, title: string, body: string): Response {
  const document = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
  return new Response(document, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-language": language,
      vary: "accept-language",
      "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  });
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
