/** The one stylesheet: the colours and letters of the sign-in pages and the examples, wide enough for tables. */
export const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #566072; --paper: #fbfaf7; --card: #ffffff; --line: #dcd9d0;
  --accent: #0b5d5b; --on-accent: #ffffff; --good: #1b6b3a; --bad: #a3261d; --warn: #7a4b00; --wash: #eef4f2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e7e1; --soft: #a9b0bb; --paper: #14181d; --card: #1c2229; --line: #343c46;
  --accent: #7fd1c8; --on-accent: #0c1a1a; --good: #86d6a3; --bad: #f2a29b; --warn: #eabf74; --wash: #1b2a2a; } }
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink); background: var(--paper); }
body { margin: 0; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: 0.18em; }
:is(a, button, summary, textarea, input, select, [tabindex]):focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: 0.5rem 1rem; z-index: 1; }
header.site { border-bottom: 1px solid var(--line); background: var(--card); }
header.site > div, main, footer.site { max-width: 68rem; margin: 0 auto; padding: 0.9rem 1.25rem; }
header.site > div { display: flex; flex-wrap: wrap; gap: 0.4rem 2rem; align-items: center; justify-content: space-between; }
.brand { font-weight: 650; letter-spacing: -0.01em; } .brand a { color: inherit; text-decoration: none; } .brand small { font-weight: 400; color: var(--soft); }
nav ul { display: flex; flex-wrap: wrap; gap: 0.15rem 1.25rem; list-style: none; margin: 0; padding: 0; }
nav a { display: inline-block; padding: 0.3rem 0; text-decoration: none; } nav a:hover { text-decoration: underline; }
nav a[aria-current] { color: var(--ink); font-weight: 600; box-shadow: 0 2px 0 var(--accent); }
main { padding-top: 2.2rem; padding-bottom: 3rem; }
h1 { font-size: clamp(1.6rem, 1.2rem + 1.8vw, 2.2rem); line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 0.5rem; }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 0 0 0.7rem; } h3 { font-size: 1rem; margin: 1.1rem 0 0.4rem; }
p { margin: 0 0 0.8rem; max-width: 46rem; } p:last-child { margin-bottom: 0; }
.lead { color: var(--soft); margin: 0 0 1.8rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; padding: 1.1rem 1.25rem; margin: 0 0 1rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); margin: 0 0 1rem; } .cards > .card { margin: 0; }
dl { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: 0.35rem 1.2rem; margin: 0; } dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
code, pre { font: 0.88em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre { margin: 0.5rem 0 0; padding: 0.8rem 1rem; background: var(--wash); border-radius: 0.4rem; overflow-x: auto; overflow-wrap: normal; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.45rem 1.1rem 0.45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--soft); font-weight: 500; white-space: nowrap; } tbody th { font-weight: 600; } tbody tr:last-child > * { border-bottom: 0; }
.tight { white-space: nowrap; } :is(th, h2, summary, label) .soft { font-weight: 400; } h1 + .card { margin-top: 1.4rem; } table + p { margin-top: 0.9rem; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; } .warn { color: var(--warn); font-weight: 600; } .soft { color: var(--soft); }
.dot::before { content: ""; display: inline-block; width: 0.6em; height: 0.6em; border-radius: 50%; background: currentColor; margin-right: 0.45em; }
.dot.bad::before { border-radius: 0; transform: rotate(45deg); } .dot.soft::before { background: none; border: 1px solid; }
.tags { display: flex; flex-wrap: wrap; gap: 0.3rem; margin: 0; padding: 0; list-style: none; } .tags li { border: 1px solid var(--line); border-radius: 1rem; padding: 0 0.6rem; font-size: 0.9rem; white-space: nowrap; }
.notice { border-left: 4px solid var(--warn); } .notice.no { border-left-color: var(--bad); } .notice.yes { border-left-color: var(--good); } .notice.calm { border-left-color: var(--accent); background: var(--wash); }
.notice ul { margin: 0; padding-left: 1.2rem; }
form.row { display: flex; flex-wrap: wrap; gap: 0.8rem 1rem; align-items: end; margin: 0 0 1.2rem; } form.row > div { flex: 1 1 12rem; }
form p { margin: 0 0 0.7rem; } label { display: block; font-weight: 600; margin: 0 0 0.25rem; }
input, select, textarea { width: 100%; min-height: 2.6rem; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 0.4rem; padding: 0.45rem 0.6rem; }
textarea { min-height: 8rem; resize: vertical; font: 0.9em/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
button { font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: 0.4rem; min-height: 2.6rem; padding: 0.45rem 1.2rem; cursor: pointer; } button:hover { text-decoration: underline; }
summary { cursor: pointer; font-weight: 600; } details + details { margin-top: 0.6rem; } details[open] > summary { margin-bottom: 0.6rem; }
.picture img { display: block; margin: 0 auto; max-width: 100%; height: auto; border-radius: 0.4rem; }
footer.site { color: var(--soft); font-size: 0.9rem; padding-bottom: 2rem; }
@media (max-width: 44rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.6rem; }
  table.stacks, .stacks :is(tbody, tr, th, td) { display: block; } .stacks thead { position: absolute; left: -999rem; }
  .stacks tr { padding: 0.6rem 0; border-bottom: 1px solid var(--line); } .stacks tbody tr:last-child { border-bottom: 0; padding-bottom: 0; }
  .stacks :is(th, td) { border: 0; padding: 0.1rem 0; } .stacks td:empty { display: none; }
  .stacks td[data-of]::before { content: attr(data-of) ": "; color: var(--soft); } .tight { white-space: normal; } }
@media (forced-colors: active) { .dot::before { background: CanvasText; } }
`;
