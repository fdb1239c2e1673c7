import { resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { issuerOf, meaningOf, verifyWith, wordsFor, type Verdict } from "@portvakt/explain";
import { peekJwt } from "@portvakt/oauth";
import { readState } from "../running/state.ts";
import { CommandError, exitCodes, usageError, type ExitCode } from "../failure.ts";
import { inLine, type Terminal } from "../terminal.ts";
import { flag, text, texts, type Arguments, type Surroundings } from "../verb.ts";
import { issuersOf, namedIssuer } from "./known-issuers.ts";
import { receivers, type Receiver } from "./receivers.ts";

const unknownIssuer = "nobody here knows its issuer";

type Decoded = NonNullable<ReturnType<typeof peekJwt>>;

/** `portvakt inspect`: a token in words. It is never sent anywhere; only key sets of known issuers are fetched. */
export async function runInspect(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const [word = "-"] = args.words;
  const token = (word === "-" ? await readAll(around.input()) : word).trim().replace(/^bearer\s+/i, "");
  if (token === "") throw usageError("inspect wants a token, as a word or on stdin", "inspect");
  return await inspectToken(token, args, around);
}

/** What a token says, whether it holds, and who would take it. Ends with 0 when it is valid now. */
export async function inspectToken(token: string, args: Arguments, around: Surroundings): Promise<ExitCode> {
  const decoded = peekJwt(token);
  if (decoded === undefined) {
    throw new CommandError("this is no signed JWT", {
      hints: ["a JWT has three parts with a dot between them; `portvakt inspect -` reads it from stdin"],
      exitCode: exitCodes.no,
    });
  }
  const running = await readState(resolve(around.folder, text(args, "state") ?? ".portvakt"));
  const named = await Promise.all(texts(args, "issuer").map(namedIssuer));
  const from = issuerOf(decoded.claims, [...named, ...issuersOf(running)]);
  const verdict: Verdict =
    from === undefined
      ? {
          verified: false,
          code: undefined,
          message: unknownIssuer,
        }
      : await verifyWith(token, from, around.now);
  const takers = from === undefined || running === undefined ? [] : receivers(decoded.claims, from, running);
  const { terminal } = around;
  if (flag(args, "json")) terminal.out(`${JSON.stringify({ ...decoded, ...verdict, receivers: takers })}\n`);
  else terminal.out(words(decoded, { verdict, takers, title: from?.provider?.title }, around));
  return verdict.verified ? exitCodes.yes : exitCodes.no;
}

interface Findings {
  readonly verdict: Verdict;
  readonly takers: readonly Receiver[];
  /** The provider that issued it. */
  readonly title: string | undefined;
}

function words({ header, claims }: Decoded, findings: Findings, { terminal, now }: Surroundings): string {
  const { paint } = terminal;
  const shown = Object.entries(claims).map(
    ([name, value]) => [inLine(name), short(value), wordsFor(name, value, now())] as const,
  );
  const nameWidth = Math.max(...shown.map(([name]) => name.length), 4) + 2;
  const valueWidth = Math.min(44, Math.max(...shown.map(([, value]) => value.length), 0)) + 2;
  const lines = [
    `${paint("bold", "header")}  ${Object.entries(header)
      .map(([name, value]) => `${inLine(name)} ${short(value)}`)
      .join(", ")}`,
    "",
    paint("bold", "claims"),
    ...shown.map(([name, value, meaning]) =>
      `  ${name.padEnd(nameWidth)}${value.padEnd(valueWidth)}${value.length > valueWidth ? "  " : ""}${paint("dim", meaning)}`.trimEnd(),
    ),
    "",
    ...verdictLines(findings, terminal),
  ];
  return `${lines.join("\n")}\n`;
}

function verdictLines({ verdict, takers, title }: Findings, { paint }: Terminal): string[] {
  if (!verdict.verified) {
    const known = verdict.code === undefined ? undefined : meaningOf(verdict.code);
    const label =
      verdict.message === unknownIssuer ? paint("yellow", "not verified") : paint("red", "not valid");
    const head = `${label}  ${inLine(verdict.message)}`;
    return known === undefined
      ? [head]
      : [head, `  cause       ${known.cause}`, `  whose move  ${known.owner}`, `  fix         ${known.fix}`];
  }
  const accepting = takers.filter(({ accepts }) => accepts);
  const others = takers.filter(({ accepts }) => !accepts);
  return [
    `${paint("green", "valid")}  signed by ${title ?? "its issuer"}, and within its time`,
    ...accepting.map(({ id, because }) => `  ${paint("green", "yes")}  ${id} ${because}`),
    ...others.map(({ id, because }) => `  ${paint("red", "no ")}  ${id} ${because}`),
  ];
}

function short(value: unknown): string {
  return inLine(typeof value === "string" ? value : JSON.stringify(value));
}
