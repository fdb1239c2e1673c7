// Documents that are printed from the code. `npm run docs` writes them; `npm run check` fails when one is stale.
//
// To add one: a row whose `render` returns the whole Markdown text, from the schema or table that the code uses.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { settings as consoleSettings } from "@portvakt/console";
import { errorsMarkdown } from "@portvakt/explain";
import { settings as login } from "@portvakt/login";
import { decisionsMarkdown, manifestJsonSchema, manifestMarkdown } from "@portvakt/policy";
import { settingsMarkdown } from "@portvakt/runtime/config";
import { commonSettings, traceSettings } from "@portvakt/runtime/process";
import { fidelityMarkdown, settings as standins } from "@portvakt/standins";
import { settings as tokens } from "@portvakt/tokens";
import { settings as tokenx } from "@portvakt/tokenx";
import { observabilityMarkdown } from "./observability.ts";

interface GeneratedDocument {
  /** Path inside docs/. */
  readonly file: string;
  readonly render: () => Promise<string>;
}

/** Every generated document. */
const documents: readonly GeneratedDocument[] = [
  { file: "settings.md", render: async () => settingsPage() },
  { file: "manifest.md", render: async () => manifestMarkdown() },
  // for editors: completion and tooltips where manifests are written
  { file: "manifest.schema.json", render: async () => `${JSON.stringify(manifestJsonSchema(), null, 2)}\n` },
  { file: "policy-decisions.md", render: async () => decisionsMarkdown() },
  { file: "observability.md", render: async () => observabilityMarkdown() },
  { file: "errors.md", render: async () => errorsMarkdown() },
  { file: "fidelity.md", render: async () => fidelityMarkdown() },
];

/** Each server's settings, from the schema that also reads and checks them. */
function settingsPage(): string {
  const servers = {
    "Login proxy: `portvakt login`": login,
    "Token API: `portvakt tokens`": tokens,
    "Both in one process, beside the settings of each: `portvakt sidecar`": commonSettings("sidecar"),
    "TokenX: `portvakt tokenx`": tokenx,
    "Stand-ins: `portvakt standins`": standins,
    "Console: `portvakt console`": consoleSettings,
    "Every server: traces, by OpenTelemetry's standard variables": traceSettings,
  };
  const sections = Object.entries(servers).map(
    ([title, schema]) => `## ${title}\n\n${settingsMarkdown(schema).trim()}\n`,
  );
  return `# Settings\n\n${settingsIntroduction}\n\n${sections.join("\n")}`;
}

const settingsIntroduction = `Every server takes its settings from the environment, checks all of them at start, and lists all problems together.
\`--print-config\` shows each setting, its value and where it came from (secrets masked); \`--check-config\` only checks. A name with \`_FILE\`
appended takes the value from that file. Where several names are given, the first that is set wins.`;

async function isStale({ file, render }: GeneratedDocument): Promise<boolean> {
  const there = await readFile(resolve(import.meta.dirname, file), "utf8").catch(() => undefined);
  return there !== (await render());
}

async function main(check: boolean): Promise<void> {
  for (const document of documents) {
    if (!(await isStale(document))) continue;
    if (check) {
      console.error(`docs/${document.file} is not what the code says: run npm run docs`);
      process.exitCode = 1;
      continue;
    }
    const path = resolve(import.meta.dirname, document.file);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, await document.render());
    console.log(`wrote docs/${document.file}`);
  }
}

await main(process.argv.includes("--check"));
