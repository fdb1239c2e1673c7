// The completion scripts, tried in the shells themselves: what is offered for an unfinished line.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../bin/portvakt.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "portvakt-completion-"));
after(() => rmSync(folder, { recursive: true, force: true }));

// the command as a person has it on the path
writeFileSync(join(folder, "portvakt"), `#!/bin/sh\nexec ${process.execPath} ${bin} "$@"\n`);
chmodSync(join(folder, "portvakt"), 0o755);
/** Runs a script in a shell, in the example's folder; `undefined` where the shell is not installed. */
function run(shell: string, args: readonly string[], script: string): string | undefined {
  const { stdout, stderr, error, status } = spawnSync(shell, [...args, script], {
    cwd: fileURLToPath(new URL("../../../examples/portal/", import.meta.url)),
    encoding: "utf8",
    env: { PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}`, HOME: folder, TERM: "dumb" },
    timeout: 60_000,
  });
  if (error !== undefined) return undefined;
  assert.equal(status, 0, stderr);
  return stdout;
}

const lines: readonly { line: string; offers: readonly string[] }[] = [
  { line: "portvakt ke", offers: ["keys"] },
  { line: "portvakt keys ", offers: ["list", "rotate"] },
  { line: "portvakt can --us", offers: ["--user"] },
  { line: "portvakt plan --ag", offers: ["--against"] },
  { line: "portvakt can p", offers: ["portal"] },
  { line: "portvakt token --as ", offers: ["portal"] },
  { line: "portvakt graph -f a", offers: ["app.yaml"] },
  { line: "portvakt completion z", offers: ["zsh"] },
];

const shells: Readonly<Record<string, (line: string) => string | undefined>> = {
  bash: (line) =>
    run(
      "bash",
      ["-c"],
      `source <(portvakt completion bash); line=${JSON.stringify(line)}; read -ra COMP_WORDS <<< "$line"
[[ $line == *' ' ]] && COMP_WORDS+=(""); COMP_CWORD=$(( \${#COMP_WORDS[@]} - 1 )); _portvakt; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ),
  fish: (line) =>
    run("fish", ["-c"], `portvakt completion fish | source; complete -C ${JSON.stringify(line)}`),
  zsh: (line) =>
    run(
      "zsh",
      ["-f", "-c"],
      // The shell itself in a pseudo-terminal: a tab after the line, and what it then shows. The prompt that says ready is drawn by
      // the line editor: what is typed before it has the terminal is no completion.
      `zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z "PS2=; autoload -Uz compinit; compinit -u; source <(portvakt completion zsh); zstyle ':completion:*' list-prompt ''; setopt listrowsfirst; bindkey '^I' complete-word; PS1=rea''dy"
zpty -r z all '*ready*'
zpty -w -n z $'${line}\\t'; zpty -w -n z $'\\x15echo do''ne\\n'
zpty -r z all '*done*'; print -r -- "$all"; zpty -d z`,
    ),
};

for (const [shell, offered] of Object.entries(shells)) {
  describe(shell, () => {
    for (const { line, offers } of lines) {
      test(line, () => {
        const shown =
          offered(line) ?? assert.fail(`${shell} is not installed: npm test brings it on Debian as root`);
        for (const offer of offers) assert.ok(shown.includes(offer), `${offer} in ${JSON.stringify(shown)}`);
      });
    }
  });
}

test("CWE-78: bash expands nothing in the names that it is told", () => {
  const hostile = mkdtempSync(join(tmpdir(), "portvakt-hostile-"));
  const mark = join(hostile, "expanded");
  const script = `portvakt() { printf '%s\\n' '$(touch ${mark})' 'shop' 'a*b'; }
source <("${process.execPath}" "${bin}" completion bash); COMP_WORDS=(portvakt can ""); COMP_CWORD=2; _portvakt; printf '%s|' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script], { cwd: hostile, encoding: "utf8" });
  assert.equal(existsSync(mark), false, stderr);
  assert.match(stdout, /shop\|/);
  rmSync(hostile, { recursive: true, force: true });
});

test("no script offers a verb that is not there, and every verb is offered", () => {
  const { stdout } = spawnSync(process.execPath, [bin, "--help"], { encoding: "utf8" });
  const verbs = [...stdout.matchAll(/^ {2}(\w+) {2}/gm)].map(([, verb]) => verb ?? "");
  assert.ok(verbs.length > 10);
  for (const shell of Object.keys(shells)) {
    const script = spawnSync(process.execPath, [bin, "completion", shell], { encoding: "utf8" }).stdout;
    for (const verb of verbs) assert.match(script, new RegExp(`\\b${verb}\\b`), `${verb} in ${shell}`);
  }
});
