// The command's words are tests: each file in transcripts/ holds commands and what they answer.
//
//   $ portvakt <arguments>     a command
//   text                       a line of its stdout
//   ! text                     a line of its stderr
//   ? number                   its exit code; left out, it is 0
//   # text                     a remark
//   $ portvakt explain < text  a command with something on stdin
//
// `…` at the end of a line stands for any rest. An empty line separates commands; `.` alone is an empty line of output.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../bin/portvakt.js", import.meta.url));
const transcripts = fileURLToPath(new URL("transcripts/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "portvakt-transcripts-"));
after(() => rmSync(folder, { recursive: true, force: true }));

writeFileSync(
  join(folder, "wrong.yaml"),
  "apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata:\n  name: UPPER\nspec:\n  image: x\n",
);
writeFileSync(join(folder, "none.yaml"), "kind: Service\n");
cpSync(fileURLToPath(new URL("manifests/", import.meta.url)), folder, { recursive: true });

interface Command {
  readonly line: string;
  readonly out: readonly string[];
  readonly err: readonly string[];
  readonly code: number;
}

function parse(text: string): Command[] {
  const blocks = text
    .split(/\n(?=\$ )/)
    .map((block) => block.split("\n").filter((line) => line !== "" && !line.startsWith("#")));
  return blocks.flatMap(([first, ...rest]) => {
    if (first === undefined || !first.startsWith("$ ")) return [];
    const shown = (line: string): string => (line === "." ? "" : line);
    return [
      {
        line: first.slice(2),
        out: rest.filter((line) => !/^[!?] /.test(line)).map(shown),
        err: rest.filter((line) => line.startsWith("! ")).map((line) => shown(line.slice(2))),
        code: Number(rest.find((line) => line.startsWith("? "))?.slice(2) ?? 0),
      },
    ];
  });
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** `…` at the end of an expected line takes whatever follows. */
function matching(actual: readonly string[], expected: readonly string[]): string[] {
  return actual.map((line, index) => {
    const wanted = expected[index];
    return wanted?.endsWith("…") === true && line.startsWith(wanted.slice(0, -1)) ? wanted : line;
  });
}

for (const file of readdirSync(transcripts).toSorted()) {
  describe(file, () => {
    for (const command of parse(readFileSync(join(transcripts, file), "utf8"))) {
      test(command.line, () => {
        const [line = "", input = ""] = command.line.split(" < ");
        const [, ...args] = line.split(" ");
        const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
          cwd: folder,
          encoding: "utf8",
          env: { PATH: process.env["PATH"] },
          input,
          timeout: 60_000,
        });
        assert.deepEqual(matching(linesOf(stdout), command.out), command.out);
        assert.deepEqual(matching(linesOf(stderr), command.err), command.err);
        assert.equal(status, command.code);
      });
    }
  });
}
