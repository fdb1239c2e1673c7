const rules = `
:root{color-scheme:light;--ink:#1d2327;--quiet:#50595f;--line:#d5dade;--paper:#fff;--ground:#f5f6f7}
*{box-sizing:border-box}
html{font:100%/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;color:var(--ink);background:var(--ground)}
body{margin:0;min-height:100vh;display:flex;flex-direction:column}
header{background:var(--deep);color:#fff}
.bar{max-width:44rem;margin:0 auto;padding:.9rem 1.25rem;display:flex;flex-wrap:wrap;gap:.25rem 1rem;align-items:baseline;justify-content:space-between}
.brand{font-size:1.15rem;font-weight:650;letter-spacing:.01em}
.notice{background:var(--tint);border-bottom:1px solid var(--line);color:var(--ink)}
.notice p{max-width:44rem;margin:0 auto;padding:.55rem 1.25rem;font-size:.875rem}
.notice strong{font-weight:650}
main{flex:1;width:100%;max-width:44rem;margin:0 auto;padding:1.75rem 1.25rem 3rem}
h1{font-size:1.6rem;line-height:1.25;margin:.1rem 0 1.25rem;font-weight:650;text-wrap:balance}
h2{font-size:1.05rem;margin:0;font-weight:650}
p{margin:0 0 .75rem}
.lead{color:var(--quiet);margin:0}
.lead b{color:var(--ink);font-weight:600;overflow-wrap:anywhere}
ul.people{list-style:none;margin:0;padding:0;display:grid;gap:.6rem}
ul.people li{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;display:flex;align-items:stretch;overflow:hidden}
ul.people li:hover,ul.people li:focus-within{border-color:var(--accent);box-shadow:0 1px 6px rgb(0 0 0/.07)}
button,.button{font:inherit;cursor:pointer;border-radius:.45rem;min-height:2.75rem}
.card{flex:1;min-width:0;display:grid;grid-template-columns:2.5rem minmax(0,1fr);column-gap:.85rem;align-items:center;text-align:left;padding:.8rem 1rem;border:0;border-radius:0;background:none;color:inherit}
.card .face{grid-row:span 4;align-self:center;width:2.5rem;height:2.5rem;border-radius:50%;background:var(--tint);color:var(--deep);display:grid;place-items:center;font-weight:650}
.card .who{font-weight:600;overflow-wrap:anywhere}
.card .about{grid-column:2;color:var(--quiet);font-size:.9rem;overflow-wrap:anywhere}
.card .detail{grid-column:2;color:var(--quiet);font-size:.82rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.card[disabled]{cursor:not-allowed}
.card[disabled] .who{color:var(--quiet);font-weight:500}
.card .why{grid-column:2;font-size:.85rem;color:#8a3b12}
.quiet{border:0;border-left:1px solid var(--line);border-radius:0;background:none;color:var(--accent);padding:.5rem 1rem;font-size:.9rem;text-decoration:underline;text-underline-offset:.15em}
.quiet:hover{background:var(--tint)}
section{margin-top:2rem}
.panel{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:0}
details.panel>summary{cursor:pointer;padding:.9rem 1.1rem;font-weight:600;min-height:2.75rem}
details.panel>div,form.panel,div.panel{padding:.35rem 1.1rem 1.1rem}
form.panel,div.panel{padding-top:1.1rem}
label,legend{display:block;font-weight:600;font-size:.95rem;margin:.75rem 0 .25rem;padding:0}
input[type=text],textarea{font:inherit;width:100%;padding:.55rem .7rem;border:1px solid #7b858c;border-radius:.4rem;background:#fff;color:inherit;min-height:2.75rem}
textarea{font:.9rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;min-height:13rem;resize:vertical}
fieldset{border:0;margin:.75rem 0 0;padding:0}
fieldset label{display:inline-flex;align-items:center;gap:.5rem;font-weight:400;margin:0 1.5rem 0 0;min-height:2.75rem}
input[type=radio]{width:1.2rem;height:1.2rem;accent-color:var(--accent)}
.help{color:var(--quiet);font-size:.9rem;margin:0}
.row{display:flex;flex-wrap:wrap;gap:.75rem;margin-top:1rem;align-items:center}
.primary{background:var(--accent);color:#fff;border:1px solid var(--accent);padding:.55rem 1.3rem;font-weight:600;text-decoration:none;display:inline-flex;align-items:center}
.primary:hover{background:var(--deep)}
.plain{background:none;border:1px solid #7b858c;color:inherit;padding:.55rem 1.1rem}
.plain:hover{border-color:var(--accent);color:var(--accent)}
.languages{display:flex;flex-wrap:wrap;gap:0 .5rem}
.lang{background:none;border:0;color:#fff;text-decoration:underline;text-underline-offset:.2em;padding:.25rem .5rem;min-height:2rem}
.problem{border:1px solid #b3381a;border-left-width:.35rem;background:#fdf3f0;border-radius:.45rem;padding:.75rem 1rem;margin:0 0 1.25rem}
.problem strong{display:block}
code,pre{font:.9rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere;white-space:pre-wrap}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.35rem 1.25rem;margin:0}
dt{color:var(--quiet)}
dd{margin:0;overflow-wrap:anywhere}
a{color:var(--accent)}
iframe{display:none}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
header :focus-visible{outline-color:#fff}
.card:focus-visible,.quiet:focus-visible{outline-offset:-3px}
@media (max-width:30rem){main{padding-top:1.25rem}h1{font-size:1.35rem}ul.people li{flex-direction:column}.quiet{border-left:0;border-top:1px solid var(--line);text-align:left;padding-left:1rem}dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.6rem}}
@media (prefers-reduced-motion:no-preference){ul.people li{transition:border-color .12s,box-shadow .12s}}
`;

/** The one style sheet of the pages; `accent` and `deep` are the stand-in's own colours (contrast to white at least 7:1). */
export function styleSheet(colours: { accent: string; deep: string; tint: string }): string {
  return `:root{--accent:${colours.accent};--deep:${colours.deep};--tint:${colours.tint}}${rules}`;
}
