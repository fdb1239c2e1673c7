import { dirname, extname, join, relative } from "node:path";
import type { PackageManifest, Project } from "./project.ts";

/** A file to write: its text before (absent for a new one) and after. */
export interface Change {
  readonly file: string;
  readonly before?: string;
  readonly after: string;
}

export interface Names {
  readonly name: string;
  readonly namespace: string;
  readonly team: string;
}

/** Where the manifest goes, when there is none. */
export const manifestFile = ".nais/app.yaml";

/** Everything that `init` adds to a project: manifest, middleware, a route, a test, and what package.json needs for them. */
export function changesFor(project: Project, names: Names, hasManifest: boolean): readonly Change[] {
  const { framework, entry } = project;
  const routes = framework.creation === undefined;
  const extension =
    entry === undefined ? ".js" : extname(entry.file) === ".cjs" ? ".mjs" : extname(entry.file);
  const auth = routes ? "app/api/me/route.js" : join(dirname(entry?.file ?? "."), `auth${extension}`);
  const isCommon = project.manifest.type !== "module" && (extension === ".js" || routes);
  const test = `test/auth.test${isCommon ? ".mjs" : extension}`;
  const fromTest = relative("test", auth);
  return [
    ...(hasManifest ? [] : [{ file: manifestFile, after: manifest(names) }]),
    {
      file: auth,
      after: isCommon && !routes ? toCommon(framework.auth(false)) : framework.auth(extension.includes("ts")),
    },
    ...(entry === undefined ? [] : [{ file: entry.file, before: entry.text, after: wired(project, auth) }]),
    { file: test, after: framework.test(fromTest.startsWith(".") ? fromTest : `./${fromTest}`) },
    { file: "package.json", before: project.packageText, after: withScripts(project, test) },
  ];
}

function manifest({ name, namespace, team }: Names): string {
  return `apiVersion: nais.io/v1alpha1
kind: Application
metadata:
  name: ${name}
  namespace: ${namespace}
  labels:
    team: ${team}
spec:
  image: "{{ image }}"
  # calls on behalf of citizens; azure.application.enabled is for employees and machines
  tokenx:
    enabled: true
  accessPolicy:
    inbound:
      # nobody may call until somebody is named: - application: <name>
      rules: []
`;
}

/** An auth file of ESM as CommonJS: the SDK is ESM, which `require` takes from Node 22 on. */
function toCommon(text: string): string {
  return text
    .replaceAll(/^import \{([^}]+)\} from ("[^"]+");$/gm, "const {$1} = require($2);")
    .replaceAll(/^export const (\w+)/gm, "const $1")
    .replaceAll(/^export \{[^}]+\};\n/gm, "")
    .concat("\nmodule.exports = { callerOf, requireCaller };\n");
}

/** The entry with the import at its top and the route below the statement that makes the application. */
function wired({ framework, entry }: Project, auth: string): string {
  const { text = "", file = "" } = entry ?? {};
  const match = framework.creation?.exec(text);
  if (match == null) return text;
  const specifier = `./${relative(dirname(file), auth)}`;
  const isCommon = /\brequire\(/.test(text) && !/^import /m.test(text);
  const line = isCommon
    ? `const { callerOf, requireCaller } = require("${specifier}");\n`
    : `import { callerOf, requireCaller } from "${specifier}";\n`;
  const end = statementEnd(text, match.index);
  const top = importsEnd(text, isCommon);
  const route = framework.route(match[1] ?? "app");
  return `${text.slice(0, top)}${line}${text.slice(top, end)}${route}${text.slice(end)}`;
}

/** Behind the line in which the statement that begins at `start` has closed all its brackets. */
function statementEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const sign = text[at] ?? "";
    if ("([{".includes(sign)) depth += 1;
    else if (")]}".includes(sign)) depth -= 1;
    else if (sign === "\n" && depth === 0) return at + 1;
  }
  return text.length;
}

function importsEnd(text: string, isCommon: boolean): number {
  const pattern = isCommon
    ? /^(?:const|let|var) .*\brequire\(.*\n/gm
    : /^import [^;]*?from .*\n|^import ["'].*\n/gm;
  let end = text.startsWith("#!") ? text.indexOf("\n") + 1 : 0;
  for (const match of text.matchAll(pattern)) end = match.index + match[0].length;
  return end;
}

function withScripts({ packageText, manifest: found }: Project, test: string): string {
  const indent = /^\{\n([ \t]+)/.exec(packageText)?.[1] ?? "  ";
  const run = found.scripts?.["dev"] === undefined ? "start" : "dev";
  const changed: PackageManifest = {
    ...found,
    scripts: {
      ...found.scripts,
      "dev:platform": `portvakt dev -f ${manifestFile} -- npm run ${run}`,
      "test:auth": `node --test ${test}`,
    },
    dependencies: sorted({ ...found.dependencies, "@portvakt/sdk": "0.1.0" }),
    devDependencies: sorted({ ...found.devDependencies, portvakt: "0.1.0" }),
  };
  return `${JSON.stringify(changed, null, indent)}\n`;
}

function sorted(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
