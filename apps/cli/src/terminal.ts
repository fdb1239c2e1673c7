import type { CommandError } from "./failure.ts";

/** What a verb writes to. `stdout` is for the answer, `stderr` for everything about getting there. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly paint: Paint;
}

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
} as const;
type Colour = keyof typeof codes;
export type Paint = (colour: Colour, text: string) => string;

/** Colours on a terminal only; `NO_COLOR` (any value but the empty one) turns them off, as no-color.org asks. */
export function createPaint(options: { isTerminal: boolean; noColor: string | undefined }): Paint {
  if (!options.isTerminal || (options.noColor ?? "") !== "") return (_colour, text) => text;
  return (colour, text) => `\u001b[${codes[colour][0]}m${text}\u001b[${codes[colour][1]}m`;
}

/** Says what went wrong: a sentence and its hints, for each thing that did. */
export function tell(error: CommandError, terminal: Terminal): void {
  const { paint } = terminal;
  for (const { sentence, hints } of [{ sentence: error.message, hints: error.hints }, ...error.others]) {
    terminal.err(`${paint("red", "portvakt:")} ${sentence}\n`);
    for (const hint of hints) terminal.err(`${paint("cyan", "hint:")} ${hint}\n`);
  }
}
