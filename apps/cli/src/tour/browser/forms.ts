/** A form of a page, as much of it as a person without JavaScript would send. */
export interface Form {
  /** Absolute. */
  readonly action: string;
  readonly method: "GET" | "POST";
  /** What is sent whichever button is pressed. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly buttons: readonly {
    readonly name: string | undefined;
    readonly value: string;
    readonly label: string;
  }[];
}

/** The forms of an HTML page of ours. Reads markup that our own pages produce; it is no HTML parser. */
export function formsOf(html: string, base: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/gi)].map(([, head = "", inside = ""]) => {
    const attributes = attributesOf(head);
    return {
      action: new URL(attributes.get("action") ?? base, base).href,
      method: attributes.get("method")?.toLowerCase() === "post" ? "POST" : "GET",
      fields: fieldsOf(inside),
      buttons: buttonsOf(inside),
    };
  });
}

/** The links of a page, absolute, each with its text. */
export function linksOf(html: string, base: string): { readonly href: string; readonly label: string }[] {
  return [...html.matchAll(/<a\b([^>]*)>([\s\S]*?)<\/a>/gi)].flatMap(([, head = "", inside = ""]) => {
    const href = attributesOf(head).get("href");
    return href === undefined ? [] : [{ href: new URL(href, base).href, label: textOf(inside) }];
  });
}

/** What a page is about: its `main` part where it has one. */
export function mainOf(html: string): string {
  return /<main\b[^>]*>([\s\S]*?)<\/main>/i.exec(html)?.[1] ?? html;
}

/** The text of some markup. */
export function textOf(html: string): string {
  const bare = html.replaceAll(/<(script|style)\b[\s\S]*?<\/\1>/gi, " ").replaceAll(/<[^>]*>/g, " ");
  return unescape(bare).replaceAll(/\s+/g, " ").trim();
}

function fieldsOf(inside: string): [string, string][] {
  return [...inside.matchAll(/<input\b([^>]*)>/gi)].flatMap(([, head = ""]): [string, string][] => {
    const attributes = attributesOf(head);
    const name = attributes.get("name");
    const type = attributes.get("type")?.toLowerCase() ?? "text";
    if (name === undefined || type === "submit") return [];
    if ((type === "checkbox" || type === "radio") && !attributes.has("checked")) return [];
    return [[name, attributes.get("value") ?? ""]];
  });
}

function buttonsOf(inside: string): Form["buttons"] {
  return [...inside.matchAll(/<button\b([^>]*)>([\s\S]*?)<\/button>/gi)].map(([, head = "", label = ""]) => {
    const attributes = attributesOf(head);
    return { name: attributes.get("name"), value: attributes.get("value") ?? "", label: textOf(label) };
  });
}

function attributesOf(head: string): Map<string, string> {
  const found = head.matchAll(/([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?/g);
  return new Map(
    [...found].map(([, name = "", a, b, c]) => [name.toLowerCase(), unescape(a ?? b ?? c ?? "")]),
  );
}

const entities: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

function unescape(text: string): string {
  return text.replaceAll(
    /&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi,
    (whole, decimal?: string, hex?: string, name?: string) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
      if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
      return entities[name ?? ""] ?? whole;
    },
  );
}
