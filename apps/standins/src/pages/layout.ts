import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { styleSheet } from "./style.ts";
import { texts, type Locale } from "./texts.ts";

/** How the pages of one stand-in look. */
export interface Theme {
  /** The provider's name, as people know it. */
  readonly title: string;
  readonly accent: string;
  readonly deep: string;
  readonly tint: string;
  /** What somebody who is not on the list types: a number or a user name. */
  readonly typed: "pid" | "username";
  /** The languages of its pages. */
  readonly locales: readonly Locale[];
}

const usual: readonly Locale[] = ["nb", "en"];

/** The themes: each provider its own calm colour, none of them the real one's. */
export const themes = {
  idporten: {
    title: "ID-porten",
    accent: "#1f5d4c",
    deep: "#163f35",
    tint: "#e6f0ec",
    typed: "pid",
    locales: ["nb", "nn", "en", "se"],
  },
  entra: {
    title: "Entra ID",
    accent: "#3b4a8f",
    deep: "#2a3568",
    tint: "#e9ecf6",
    typed: "username",
    locales: usual,
  },
  maskinporten: {
    title: "Maskinporten",
    accent: "#7a3b55",
    deep: "#57283c",
    tint: "#f5e9ee",
    typed: "username",
    locales: usual,
  },
  openid: {
    title: "OpenID",
    accent: "#3f5566",
    deep: "#2b3c49",
    tint: "#e9eef2",
    typed: "username",
    locales: usual,
  },
} as const satisfies Record<string, Theme>;

export type Html = ReturnType<typeof html>;

export interface PageOptions {
  readonly locale: Locale;
  readonly title: string;
  readonly body: Html;
  readonly status?: number;
  /** Stands at the right of the bar. */
  readonly aside?: Html;
  /** Origins whose pages may be framed: front-channel logout. */
  readonly frameSources?: readonly string[];
  /** The only script that may run, when there is one. */
  readonly script?: string;
}

/** Writes a page. It works without scripts, loads nothing, and cannot be framed. */
export async function page(theme: Theme, options: PageOptions): Promise<Response> {
  const style = styleSheet(theme);
  const text = texts[options.locale];
  // The formatter may lay out markup, but not the two texts whose hashes stand in the policy.
  const document = await html`<!doctype html>
    <html lang="${options.locale}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>${options.title} - ${theme.title} (stand-in)</title>
        <link rel="icon" href="data:," />
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        <header>
          <div class="bar"><span class="brand">${theme.title}</span>${options.aside ?? ""}</div>
          <div class="notice">
            <p><strong>${text.standIn}.</strong> ${text.synthetic}</p>
          </div>
        </header>
        <main>${options.body}</main>
        ${options.script === undefined ? "" : raw(`<script>${options.script}</script>`)}
      </body>
    </html>`;
  return new Response(document.toString(), {
    status: options.status ?? 200,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": contentSecurityPolicy(style, options),
      "cache-control": "no-store",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    },
  });
}

// form-action names schemes only: browsers apply it to every redirect that follows a form, and those belong to the client.
function contentSecurityPolicy(style: string, options: PageOptions): string {
  return [
    "default-src 'none'",
    `style-src '${hashOf(style)}'`,
    ...(options.script === undefined ? [] : [`script-src '${hashOf(options.script)}'`]),
    ...(options.frameSources === undefined || options.frameSources.length === 0
      ? []
      : [`frame-src ${[...new Set(options.frameSources)].join(" ")}`]),
    "img-src data:",
    "form-action 'self' http: https:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
