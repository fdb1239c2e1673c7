import { dirname, join, relative } from "node:path";
import type { PackageManifest, Place, Project } from "./project.ts";

/** A file to write: its text before (absent for a new one) and after. */
export interface Change {
  readonly file: string;
  readonly before?: string;
  readonly after: string;
}

/** What the application is to be called, and what else a person may say. */
export interface Wishes {
  readonly name: string;
  readonly namespace: string;
  readonly team: string;
  /** The SDK as a dependency: a version, or `file:` and a path. */
  readonly sdk: string;
  /** The manifest that is there already. */
  readonly manifest?: string;
}

/** Where the manifest goes, when there is none. */
export const manifestFile = ".nais/app.yaml";

/** Everything that `init` adds to a project: manifest, middleware, a route, a test, and what package.json needs for them. */
export function changesFor(project: Project, wishes: Wishes): readonly Change[] {
  const { packageText } = project;
  const code = codeFor(project);
  const test = `test/auth.test${project.style.typed || project.style.common ? ".mjs" : project.style.extension}`;
  const tested = relative("test", code.tested);
  return [
    ...(wishes.manifest === undefined ? [{ file: manifestFile, after: manifestOf(wishes) }] : []),
    ...code.changes,
    { file: test, after: project.framework.test(tested.startsWith(".") ? tested : `./${tested}`) },
    { file: "package.json", before: packageText, after: withScripts(project, test, wishes) },
  ];
}

interface Code {
  readonly changes: readonly Change[];
  /** The file that the test imports. */
  readonly tested: string;
}

/** The middleware, and the route that uses it. A test outside is JavaScript: compilers leave it alone. */
function codeFor({ framework, place, style }: Project): Code {
  const { extension, common } = style;
  const auth = `${join(place.kind === "entry" ? dirname(place.file) : dirname(place.folder), "auth")}${extension}`;
  const text = framework.auth?.(style);
  const middleware = text === undefined ? [] : [{ file: auth, after: common ? toCommon(text) : text }];
  if (place.kind === "entry") {
    const after = wired(place, framework, style);
    return { tested: auth, changes: [...middleware, { file: place.file, before: place.text, after }] };
  }
  const route = join(place.folder, `${framework.routes?.file ?? ""}${extension}`);
  const specifier = `${relative(dirname(route), auth).slice(0, -extension.length)}${style.ending}`;
  const change = { file: route, after: framework.routes?.text(specifier, style) ?? "" };
  return { tested: text === undefined ? route : auth, changes: [...middleware, change] };
}

function manifestOf({ name, namespace, team }: Wishes): string {
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

/** The entry with the import and the route behind the statement that makes the application, listening where the platform says. */
function wired(
  { text }: Place & { kind: "entry" },
  { creation, route }: Project["framework"],
  { common, ending, typed }: Project["style"],
): string {
  const match = creation?.exec(text);
  if (match == null) return text;
  const specifier = `./auth${ending}`;
  const line = common
    ? `const { callerOf, requireCaller } = require("${specifier}");\n`
    : `import { callerOf, requireCaller } from "${specifier}";\n`;
  const end = statementEnd(text, match.index);
  const top = importsEnd(text, common);
  const rest = onPlatformPort(text.slice(end), typed);
  return `${text.slice(0, top)}${line}${text.slice(top, end)}${route(match[1] ?? "app")}${rest}`;
}

/** A fixed port becomes what it is without `PORT`, which is how the platform says where to listen. */
function onPlatformPort(text: string, typed: boolean): string {
  const variable = typed ? 'process.env["PORT"]' : "process.env.PORT";
  return text.replace(
    /(\bport:\s*|\.listen\(\s*|\bport\s*=\s*)(\d{2,5})\b/i,
    (_all, before: string, port: string) => `${before}Number(${variable} ?? ${port})`,
  );
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

function withScripts(project: Project, test: string, wishes: Wishes): string {
  const { packageText, manifest: found } = project;
  const indent = /^\{\n([ \t]+)/.exec(packageText)?.[1] ?? "  ";
  const changed: PackageManifest = {
    ...found,
    scripts: {
      ...found.scripts,
      "dev:platform": `portvakt dev -f ${wishes.manifest ?? manifestFile} -- ${startOf(project)}`,
      "test:auth": `node${loaderOf(found)} --test ${test}`,
    },
    dependencies: sorted({ ...found.dependencies, "@portvakt/sdk": wishes.sdk }),
  };
  return `${JSON.stringify(changed, null, indent)}\n`;
}

/** How the application is started: by its own script, or for want of one by its entry. */
function startOf({ manifest, manager, place }: Project): string {
  const script = ["dev", "start"].find((name) => manifest.scripts?.[name] !== undefined);
  if (script === undefined && place.kind === "entry") return `node${loaderOf(manifest)} ${place.file}`;
  const run = script ?? "start";
  // its watcher looks into folders with a dot too, such as the one where the platform keeps its state
  const isWatched = /\bfastify start\b.* -w\b/.test(manifest.scripts?.[run] ?? "");
  return `${manager} run ${run}${isWatched ? " -- --ignore-watch .portvakt" : ""}`;
}

/** An application that needs a loader to run needs it in its test too. */
function loaderOf({ devDependencies }: PackageManifest): string {
  return devDependencies?.["tsx"] === undefined ? "" : " --import tsx";
}

function sorted(entries: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
