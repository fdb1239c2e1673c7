import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { applyFix, parseManifests } from "../index.ts";

const rule =
  "spec:\n  accessPolicy:\n    inbound:\n      rules:\n        - application: x\n          namespace: ns";
const enabling = "spec:\n  tokenx:\n    enabled: true";

const head = "kind: Application\nmetadata: { name: a }\n";

/** `>` begins a line of the result that was not there before, `<` one that is gone; the others stay as they are. */
const cases: { name: string; yaml?: string; line?: number; diff: string }[] = [
  {
    name: "a field that is not there, below the last one, before the comments that follow",
    diff: `${head}spec:\n  port: 3000   # as always\n>  accessPolicy:\n>    inbound:\n>      rules:\n>        - application: x\n>          namespace: ns\n\n  # the end\n`,
  },
  {
    name: "four spaces a level, odd spaces and blank lines stay",
    diff: `${head}spec:\n    port:    3000\n\n    image: 'x'\n>    accessPolicy:\n>        inbound:\n>            rules:\n>                - application: x\n>                  namespace: ns\n`,
  },
  {
    name: "a list gets another entry, where its entries stand",
    diff: `${head}spec:\n  accessPolicy:\n    inbound:\n      rules:\n      - application: z # every day\n        permissions:\n          roles: [a,   b]\n>      - application: x\n>        namespace: ns\n      # - application: later\n  port: 1\n`,
  },
  {
    name: "a list whose last entry ends with a block of text",
    diff: `${head}spec:\n  accessPolicy:\n    inbound:\n      rules:\n        - application: z\n          note: |\n            two\n            lines\n>        - application: x\n>          namespace: ns\n`,
  },
  {
    name: "a field without a value",
    diff: `${head}spec:\n  accessPolicy:\n    inbound: # nobody yet\n>      rules:\n>        - application: x\n>          namespace: ns\n  port: 1\n`,
  },
  {
    name: "an empty list in brackets becomes lines",
    diff: `${head}spec:\n  accessPolicy:\n    inbound:\n<      rules: [] # nobody\n>      rules: # nobody\n>        - application: x\n>          namespace: ns\n`,
  },
  {
    name: "fields in braces stay in braces",
    diff: `${head}<spec: { port: 1, accessPolicy: { inbound: { rules: [{ application: z }] } } } # short\n>spec: { port: 1, accessPolicy: { inbound: { rules: [{ application: z }, { application: x, namespace: ns }] } } } # short\n`,
  },
  {
    name: "JSON stays JSON",
    diff: `{\n  "kind": "Application",\n<  "spec": { "port": 1 }\n>  "spec": { "port": 1, "accessPolicy":{"inbound":{"rules":[{"application":"x","namespace":"ns"}]}} }\n}\n`,
  },
  {
    name: "a value takes another's place",
    yaml: enabling,
    diff: `${head}spec:\n  tokenx:\n<    enabled: false   # soon\n>    enabled: true   # soon\n  port: 1\n`,
  },
  {
    name: "in the second of two documents",
    line: 5,
    diff: `${head}spec: {}\n---\n${head}spec:\n  port: 1\n>  accessPolicy:\n>    inbound:\n>      rules:\n>        - application: x\n>          namespace: ns\n`,
  },
  {
    name: "templates elsewhere stay as they are",
    diff: `${head}spec:\n  image: {{image}}\n  port: {{ port }} # {{ a }}\n>  accessPolicy:\n>    inbound:\n>      rules:\n>        - application: x\n>          namespace: ns\n`,
  },
  {
    name: "an anchor that nobody else uses",
    diff: `${head}spec: &all\n  accessPolicy:\n    inbound:\n      rules: &rules\n        - application: z\n>        - application: x\n>          namespace: ns\n`,
  },
];

function sides(diff: string): { before: string; after: string } {
  const lines = diff.split("\n");
  const only = (mark: string, other: string): string =>
    lines
      .filter((line) => !line.startsWith(other))
      .map((line) => (line.startsWith(mark) ? line.slice(1) : line))
      .join("\n");
  return { before: only("<", ">"), after: only(">", "<") };
}

describe("a fix is put into the text, and nothing else changes", () => {
  const spellings: { name: string; of: (text: string) => string }[] = [
    { name: "", of: (text) => text },
    { name: ", with CR LF", of: (text) => text.replaceAll("\n", "\r\n") },
    { name: ", after a byte order mark", of: (text) => `\uFEFF${text}` },
    { name: ", without a last line break", of: (text) => text.replace(/\n$/, "") },
  ];
  for (const { name, diff, yaml = rule, line = 1 } of cases) {
    const { before, after } = sides(diff);
    for (const { name: spelling, of } of spellings) {
      test(`${name}${spelling}`, () => assert.equal(applyFix(of(before), { line, yaml }), of(after)));
    }
  }

  test("a word that YAML 1.1 takes for a truth value is written in quotes", () => {
    const yaml = rule.replace(": x", ': "on"');
    assert.match(applyFix("spec:\n  port: 1\n", { yaml }) ?? "", /- application: "on"\n/);
  });
});

describe("a text that a machine should not touch is left alone", () => {
  const shared = "        - application: z\n";
  const texts: { name: string; text: string; yaml?: string }[] = [
    { name: "no YAML", text: "a: [" },
    { name: "a list where fields should be", text: "spec:\n  accessPolicy:\n    - wrong\n" },
    { name: "a word where a list should be", text: "spec: { accessPolicy: { inbound: { rules: none } } }\n" },
    { name: "blocks of templates", text: "{{#each x}}\nspec:\n{{/each}}\n" },
    {
      name: "a template in the place of the list",
      text: "spec: { accessPolicy: { inbound: { rules: {{ rules }} } } }\n",
    },
    {
      name: "a template in the place of the value",
      text: "spec: { tokenx: { enabled: {{ on }} } }\n",
      yaml: enabling,
    },
    {
      name: "an alias",
      text: `x: &rules\n${shared}spec: { accessPolicy: { inbound: { rules: *rules } } }\n`,
    },
    {
      name: "an anchor that others share",
      text: `spec:\n  accessPolicy:\n    inbound:\n      rules: &rules\n${shared}other: *rules\n`,
    },
    {
      name: "a field that a merge key brings",
      text: `x: &base\n  accessPolicy:\n    inbound:\n      rules:\n${shared}spec:\n  <<: *base\n  port: 1\n`,
    },
    { name: "an alias that stands for a bomb", text: bomb() },
  ];
  for (const { name, text, yaml = rule } of texts) {
    test(name, () => assert.equal(applyFix(text, { yaml }), undefined));
  }
});

function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, at) => {
    const inner = at === 0 ? "x" : `*a${at - 1}`;
    return `a${at}: &a${at} [${Array.from({ length: 10 }, () => inner).join(", ")}]`;
  });
  return `${levels.join("\n")}\nspec:\n  port: 1\n`;
}

test("in every manifest there is, the same rule can be added to every application, and only lines come in", () => {
  const folder = new URL("../../test/manifests/", import.meta.url);
  let written = 0;
  for (const file of readdirSync(folder)) {
    const text = readFileSync(new URL(file, folder), "utf8");
    const options = { cluster: "local", namespace: "n", values: {} };
    for (const { id, source } of parseManifests([{ file, text }], options).applications) {
      const after = applyFix(text, { line: source.inboundLine, yaml: rule });
      if (after === undefined) continue;
      written += 1;
      const left = after.split("\n");
      const lost = text.split("\n").filter((line) => {
        const at = left.indexOf(line);
        if (at !== -1) left.splice(0, at + 1);
        return at === -1;
      });
      assert.ok(lost.length <= 1, `${file} ${id}: ${lost.join(" | ")}`);
      const { applications, problems } = parseManifests([{ file, text: after }], options);
      assert.deepEqual(problems, parseManifests([{ file, text }], options).problems);
      const added = applications.find((one) => one.id === id)?.inbound.at(-1);
      assert.deepEqual([added?.application, added?.namespace], ["x", "ns"], `${file} ${id}`);
    }
  }
  assert.ok(written > 20, `${written} manifests`);
});
