/** The one stylesheet of the examples: system fonts, two colours, a column that fits a telephone. */
export const style = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #566072; --paper: #fbfaf7; --card: #ffffff; --line: #dcd9d0;
  --accent: #0b5d5b; --on-accent: #ffffff; --good: #1b6b3a; --bad: #a3261d; --wash: #eef4f2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9e7e1; --soft: #a9b0bb; --paper: #14181d; --card: #1c2229; --line: #343c46;
  --accent: #7fd1c8; --on-accent: #0c1a1a; --good: #86d6a3; --bad: #f2a29b; --wash: #1b2a2a; } }
* { box-sizing: border-box; }
html { font: 100%/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; color: var(--ink); background: var(--paper); }
body { margin: 0; overflow-wrap: anywhere; }
a { color: var(--accent); text-underline-offset: 0.18em; }
a:focus-visible, button:focus-visible, summary:focus-visible, textarea:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 1rem; top: 1rem; background: var(--card); padding: 0.5rem 1rem; }
header.site { border-bottom: 1px solid var(--line); background: var(--card); }
header.site > div, main, footer.site { max-width: 52rem; margin: 0 auto; padding: 0.9rem 1.25rem; }
header.site > div { display: flex; flex-wrap: wrap; gap: 0.4rem 1.5rem; align-items: center; justify-content: space-between; }
.brand { font-weight: 650; letter-spacing: -0.01em; } .brand small { font-weight: 400; color: var(--soft); display: block; }
main { padding-top: 2.2rem; padding-bottom: 3rem; }
h1 { font-size: clamp(1.6rem, 1.2rem + 1.8vw, 2.2rem); line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 0.5rem; }
h2 { font-size: 1.15rem; margin: 0 0 0.6rem; }
.lead { color: var(--soft); max-width: 40rem; margin: 0 0 1.8rem; }
.cards { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); margin: 0 0 1rem; }
section, .card { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; padding: 1.1rem 1.25rem; margin: 0 0 1rem; }
.cards > section { margin: 0; }
.figure { font-size: 1.9rem; font-weight: 650; letter-spacing: -0.02em; margin: 0.1rem 0; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: minmax(6.5rem, max-content) 1fr; gap: 0.3rem 1rem; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; }
code { font: 0.88em/1.4 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
ol.chain { list-style: none; margin: 0.4rem 0 0; padding: 0; }
ol.chain > li { position: relative; padding: 0 0 1.1rem 1.7rem; border-left: 2px solid var(--line); margin-left: 0.45rem; }
ol.chain > li:last-child { border-left-color: transparent; padding-bottom: 0; }
ol.chain > li::before { content: ""; position: absolute; left: -0.5rem; top: 0.35rem; width: 0.85rem; height: 0.85rem; border-radius: 50%; background: var(--accent); }
ol.chain h3 { font-size: 1rem; margin: 0 0 0.25rem; } ol.chain p { margin: 0 0 0.6rem; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.45rem 0.9rem 0.45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 500; white-space: nowrap; } tbody tr:last-child td { border-bottom: 0; }
.scroll td { overflow-wrap: normal; } .scroll td:not(:last-child) { white-space: nowrap; } .scroll td:last-child { min-width: 14rem; }
@media (max-width: 32rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.5rem; } }
ul.visits { list-style: none; margin: 0; padding: 0; } ul.visits > li { padding: 0.6rem 0; border-top: 1px solid var(--line); }
ul.visits > li:first-child { border-top: 0; padding-top: 0; } ul.visits p { margin: 0; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; } .soft { color: var(--soft); }
.notice { border-left: 4px solid var(--bad); } .notice.calm { border-left-color: var(--accent); background: var(--wash); }
.button, button { display: inline-block; font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); border: 0; border-radius: 0.4rem; padding: 0.55rem 1.1rem; text-decoration: none; cursor: pointer; }
.quiet { background: none; color: var(--accent); padding: 0; text-decoration: underline; font-weight: 500; }
textarea { width: 100%; font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--soft); border-radius: 0.4rem; padding: 0.5rem; }
footer.site { color: var(--soft); font-size: 0.9rem; border-top: 1px solid var(--line); padding-bottom: 2rem; }
`;
