import type { Verb } from "./verb.ts";

/** `portvakt --help` */
export function overview(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map((verb) => verb.name.length)) + 2;
  return [
    "portvakt <verb> [options]",
    "",
    "The auth plane of a zero-trust application platform.",
    "",
    ...verbs.map((verb) => row(verb.name, verb.summary, width)),
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
    ...filled(`${capital(verb.summary)}.`, columns),
    "",
    ...rows.map(([left, right]) => row(left, right, width)),
    "",
    ...(verb.notes === undefined ? [] : [filled(verb.notes.join(" "), columns).join("\n"), ""]),
    "Example:",
    `  ${verb.example}`,
    "",
  ].join("\n");
}

/** What every terminal has. */
const columns = 80;

/** Two columns; the right one goes on below itself. */
function row(left: string, right: string, width: number): string {
  const [first = "", ...more] = filled(right, columns - width - 2);
  return [`  ${left.padEnd(width)}${first}`, ...more.map((line) => " ".repeat(width + 2) + line)].join("\n");
}

/** Lines of at most so many signs, broken at spaces. */
function filled(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
