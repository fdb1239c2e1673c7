import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { run, withPrograms } from "./programs.ts";

/** A way in which people begin an application. Versions are exact, like every dependency; they are fetched into a folder of their own. */
interface Beginning {
  /** Makes `application` in a folder, without its dependencies. */
  make(folder: string): Promise<unknown>;
  /** Files that replace what was made. */
  readonly files?: Readonly<Record<string, string>>;
}

/** As `npm create hono` writes it, whose template is fetched from elsewhere than the registry. */
const hono: Readonly<Record<string, string>> = {
  "package.json": `{
  "name": "application",
  "type": "module",
  "scripts": { "dev": "tsx watch src/index.ts", "build": "tsc", "start": "node dist/index.js" },
  "dependencies": { "@hono/node-server": "1.19.19", "hono": "4.13.19" },
  "devDependencies": { "@types/node": "20.19.43", "tsx": "4.23.15", "typescript": "5.9.3" }
}
`,
  "tsconfig.json": `{
  "compilerOptions": {
    "target": "ESNext",
    "module": "NodeNext",
    "strict": true,
    "verbatimModuleSyntax": true,
    "skipLibCheck": true,
    "types": ["node"],
    "jsx": "react-jsx",
    "jsxImportSource": "hono/jsx",
    "outDir": "./dist"
  },
  "exclude": ["node_modules"]
}
`,
  "src/index.ts": `import { serve } from '@hono/node-server'
import { Hono } from 'hono'

const app = new Hono()

app.get('/', (c) => {
  return c.text('Hello Hono!')
})

serve({
  fetch: app.fetch,
  port: 3000
}, (info) => {
  console.log(\`Server is running on http://localhost:\${info.port}\`)
})
`,
};

const generated = (cwd: string, generator: string, ...args: string[]): Promise<string> =>
  run("npx", ["--yes", "--prefer-offline", generator, ...args], { cwd });

const beginnings: Readonly<Record<string, Beginning>> = {
  Express: { make: (cwd) => generated(cwd, "express-generator@4.16.1", "--no-view", "application") },
  Fastify: { make: (cwd) => generated(cwd, "fastify-cli@7.4.1", "generate", "application") },
  Hono: { make: (cwd) => mkdir(join(cwd, "application")), files: hono },
  "Next.js": {
    make: (cwd) =>
      generated(cwd, "create-next-app@16.4.3", "application", "--yes", "--skip-install", "--disable-git"),
    // its own page fetches letters from elsewhere while it is built
    files: {
      "app/layout.tsx": `export default function RootLayout({ children }: { children: React.ReactNode }) {
  return <html lang="en"><body>{children}</body></html>;
}
`,
    },
  },
};

/** The name of each framework, and the proof that `portvakt init` sets up an application of it that was made a moment ago. */
export const inits: Readonly<Record<string, (sdk: string) => Promise<string>>> = Object.fromEntries(
  Object.entries(beginnings).map(([name, beginning]) => [name, (sdk: string) => proven(beginning, sdk)]),
);

const front = `apiVersion: nais.io/v1alpha1
kind: Application
metadata: { name: front, namespace: team-a }
spec:
  idporten: { enabled: true, sidecar: { enabled: true } }
  tokenx: { enabled: true }
`;

/** Makes it, installs it, sets it up, and calls it on a platform of its own: with a token of a caller that it admits, and without. */
async function proven({ make, files = {} }: Beginning, sdk: string): Promise<string> {
  const place = await mkdtemp(join(tmpdir(), "portvakt-init-"));
  const folder = join(place, "application");
  try {
    await make(place);
    for (const [file, text] of Object.entries({ ...files, "front.yaml": front })) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
    }
    await run("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline"], { cwd: folder });
    await run("portvakt", ["init", "--yes", "--namespace", "team-a", "--sdk", sdk], {
      cwd: folder,
      env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1" },
    });
    const manifest = join(folder, ".nais/app.yaml");
    const text = await readFile(manifest, "utf8");
    await writeFile(manifest, text.replace("rules: []", "rules:\n        - application: front"));
    return await onPlatform(folder);
  } finally {
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  }
}

const mostTries = 300;

/** Its own script's words start the platform around it, on free ports; the other application is there to be let in. */
async function onPlatform(folder: string): Promise<string> {
  const { scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as {
    scripts: { "dev:platform": string };
  };
  const ours = scripts["dev:platform"].replace(" -- ", " --json --port 0 -f front.yaml -- ");
  const [program = "", ...args] = ours.split(" ");
  const dev = spawn(program, args, {
    cwd: folder,
    env: withPrograms(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const state = JSON.parse(await firstLine(dev)) as { applications: { application: { url: string } } };
    const url = `${state.applications.application.url}/api/me`;
    const order = ["token", "-q", "--as", "front", "--to", "application", "--user", "ola"];
    const token = await run("portvakt", order, { cwd: folder });
    const through = await answered(url, { authorization: `Bearer ${token.trim()}` });
    const told = await through.text();
    if (!told.startsWith('{"client":"local:team-a:front","user":"')) throw new Error(`with a token: ${told}`);
    const without = await fetch(url);
    if (without.status !== 401) throw new Error(`without a token: ${without.status}`);
    return "set up, built, tested; on its platform whom it admits is let in, and nobody else";
  } finally {
    const ended = once(dev, "exit");
    dev.kill("SIGTERM");
    await ended;
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout !== null) for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error("the platform did not start");
}

/** The platform is up before the application is, which compiles at its start. */
async function answered(url: string, headers: Record<string, string>): Promise<Response> {
  for (let tried = 0; tried < mostTries; tried++) {
    const response = await fetch(url, { headers }).catch(() => undefined);
    if (response !== undefined) return response;
    await wait(200);
  }
  throw new Error(`${url} does not answer`);
}
