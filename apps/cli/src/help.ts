import type { Verb } from "./verb.ts";

/** `portvakt --help` */
export function overview(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map((verb) => verb.name.length)) + 2;
  return [
    "portvakt <verb> [options]",
    "",
    "The auth plane of a zero-trust application platform.",
    "",
    ...verbs.map((verb) => `  ${verb.name.padEnd(width)}${verb.summary}`),
    "",
    "portvakt <verb> --help tells more, with an example.",
    "Exit codes: 0 yes, 1 no, 2 usage, 3 trouble.",
    "",
  ].join("\n");
}

/** `portvakt <verb> --help` */
export function verbHelp(verb: Verb): string {
  const rows = Object.entries(verb.options).map(([name, option]) => {
    const short = option.short === undefined ? "" : `-${option.short}, `;
    return [
      `${short}--${name}${option.value === undefined ? "" : ` ${option.value}`}`,
      option.summary,
    ] as const;
  });
  rows.push(["-h, --help", "this text"]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return [
    verb.usage,
    "",
    `${capital(verb.summary)}.`,
    "",
    ...rows.map(([left, right]) => `  ${left.padEnd(width)}${right}`),
    "",
    ...(verb.notes === undefined ? [] : [...verb.notes, ""]),
    "Example:",
    `  ${verb.example}`,
    "",
  ].join("\n");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
