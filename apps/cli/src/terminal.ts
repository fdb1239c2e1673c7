import type { CommandError } from "./failure.ts";

/** What a verb writes to. `stdout` is for the answer, `stderr` for everything about getting there. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  readonly paint: Paint;
}

/** Control characters (but for tab and line feed), and what turns the direction of writing. */
const unprintable = /[\0-\x08\v-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text from outside, as it may stand on a terminal: what would steer the terminal is spelt out (CWE-150). */
export function printable(text: string): string {
  return text.replace(unprintable, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** The same for a place within a line: a line of its own could pass for one of ours. */
export function inLine(text: string): string {
  return printable(text).replaceAll("\n", "\\n");
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

/** A terminal that says how long it takes, until whoever writes to it says something, or it is over. */
export interface Patient {
  readonly terminal: Terminal;
  over(): void;
}

const everyMs = 1000;

/** `what` with the seconds, in one line of stderr that is taken back: once a second, from the first on. */
export function patient(terminal: Terminal, what: string): Patient {
  let seconds = 0;
  const timer = setInterval(() => {
    seconds += everyMs / 1000;
    terminal.err(`\r${terminal.paint("dim", `${what} ... ${seconds} s`)}`);
  }, everyMs);
  timer.unref();
  const over = (): void => {
    clearInterval(timer);
    if (seconds > 0) terminal.err("\r\u001b[K");
    seconds = 0;
  };
  const after =
    (write: (text: string) => void) =>
    (text: string): void => {
      over();
      write(text);
    };
  return { terminal: { ...terminal, out: after(terminal.out), err: after(terminal.err) }, over };
}

/** Nobody mends more at once. */
const mostTold = 100;

/** Says what went wrong: a sentence and its hints, for each thing that did. */
export function tell(error: CommandError, terminal: Terminal): void {
  const { paint } = terminal;
  const all = [{ sentence: error.message, hints: error.hints }, ...error.others];
  for (const { sentence, hints } of all.slice(0, mostTold)) {
    terminal.err(`${paint("red", "portvakt:")} ${indented(sentence)}\n`);
    for (const hint of hints) terminal.err(`${paint("cyan", "hint:")} ${indented(hint)}\n`);
  }
  if (all.length > mostTold) terminal.err(`and ${all.length - mostTold} more like these\n`);
}

function indented(text: string): string {
  return printable(text).replaceAll("\n", "\n  ");
}
