import { span } from "@portvakt/explain";
import { parseApplicationId, type SourceLine } from "@portvakt/policy";
import { scrubLine } from "@portvakt/runtime/observe";
import { html } from "hono/html";
import type { ServerHealth } from "../data/health.ts";
import type { Html } from "./page.ts";

/** Eleven digits, with or without a space between the date and the rest: what national identity numbers look like. */
const identityNumber = /(?<!\d)\d{6}[ .-]?\d{5}(?!\d)/g;
const longest = 600;

/** A text from elsewhere as it may be shown: without tokens and national identity numbers, and not endless. */
export function shown(text: string, most = longest): string {
  const clean = scrubLine(text).replaceAll(identityNumber, "•••••• •••••");
  return clean.length > most ? `${clean.slice(0, most)}…` : clean;
}

/** The address of an application's page. */
export function pageOf(id: string): string {
  return `/applications/${encodeURIComponent(id)}`;
}

/** An application by its short name, as a link; `home` is the cluster and namespace that need not be said. */
export function applicationLink(id: string, home?: string): Html {
  const parts = parseApplicationId(id);
  if (parts === undefined) return html`<code>${shown(id)}</code>`;
  const { cluster, namespace, name } = parts;
  const isHome = `${cluster}:${namespace}` === home;
  return html`<a href="${pageOf(id)}">${name}</a
    >${isHome ? "" : html` <span class="soft">${cluster}:${namespace}</span>`}`;
}

/** `file:line` of a rule. */
export function placeOf(source: SourceLine | undefined): Html {
  return source === undefined
    ? html`<span class="soft">not said</span>`
    : html`<code>${shown(source.file)}:${source.line}</code>`;
}

/** A fix of the policy's, made here or told by TokenX. */
interface Patch {
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly yaml: string;
}

/** The manifest lines that mend something, and where they belong. */
export function patch({ file, line, yaml }: Patch): Html {
  const where =
    file === undefined
      ? "the target's manifest"
      : html`<code>${shown(file)}${line === undefined ? "" : `:${line}`}</code>`;
  return html`<p>Add to ${where}</p>
    <pre tabindex="0" role="group" aria-label="Manifest lines">${shown(yaml, 4_000)}</pre>`;
}

/** An address on the web as a link; anything else stays text. */
export function webLink(address: string): Html {
  const isWeb = /^https?:\/\//i.test(address);
  return isWeb ? html`<a href="${address}">${shown(address)}</a>` : html`${shown(address)}`;
}

/** Yes or no, in words and colour. */
export function verdict(outcome: string): Html {
  return outcome === "allow" || outcome === "issued"
    ? html`<span class="dot good">allowed</span>`
    : html`<span class="dot bad">refused</span>`;
}

/** Something that people have to know before they read on. */
export function notice(text: string | Html, kind: "no" | "yes" | "calm" | "" = ""): Html {
  return html`<div class="card notice ${kind}"><p>${text}</p></div>`;
}

/** Short words in a row. */
export function tags(words: readonly string[]): Html {
  return words.length === 0
    ? html``
    : html`<ul class="tags">
        ${words.map((word) => html`<li>${word}</li>`)}
      </ul>`;
}

/** A list of terms; those without a value are left out. */
export function facts(rows: Readonly<Record<string, string | Html | undefined>>): Html {
  return html`<dl>
    ${Object.entries(rows).map(([name, value]) =>
      value === undefined
        ? ""
        : html`<dt>${name}</dt>
            <dd>${value}</dd>`,
    )}
  </dl>`;
}

/** How a server is. */
export function health({ isReady, detail }: ServerHealth): Html {
  if (isReady === undefined) return html`<span class="dot soft">not asked</span>`;
  if (isReady) return html`<span class="dot good">ready</span>`;
  return html`<span class="dot bad">not ready</span
    >${detail === undefined ? "" : html` <span class="soft">${shown(detail)}</span>`}`;
}

/** A moment, seconds since the epoch, as people read it and as machines do; and how long ago that was. */
export function moment(at: number, now: number): Html {
  const iso = new Date(at * 1000).toISOString();
  return html`<time datetime="${iso}" title="${iso}"
    >${now - at < 2 ? "just now" : `${span(Math.round(now - at))} ago`}</time
  >`;
}

/** A number and its word. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}

/** The first of many; says how many are not shown. */
export function firstOf<T>(
  all: readonly T[],
  most: number,
): { readonly some: readonly T[]; readonly more: number } {
  return { some: all.slice(0, most), more: Math.max(0, all.length - most) };
}
