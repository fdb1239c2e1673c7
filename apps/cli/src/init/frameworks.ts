/** How the files of an application are written. */
export interface Style {
  readonly typed: boolean;
  /** CommonJS, with `require`. */
  readonly common: boolean;
  /** How its files name each other: `./auth` plus this. */
  readonly ending: string;
  /** The ending of a new file. */
  readonly extension: string;
}

/** How an application of one framework gets its middleware. */
export interface Framework {
  readonly title: string;
  /** The dependency that gives it away. */
  readonly dependency: string;
  /** The statement that makes the application; its first group is the variable. */
  readonly creation?: RegExp;
  /** Routes that are files of their own, for applications without such a statement. */
  readonly routes?: Routes;
  /** What is said of a folder with neither. */
  readonly missing: string;
  /** The file with `requireCaller` and `callerOf`; absent where the route imports the SDK itself. */
  readonly auth?: (style: Style) => string;
  /** A route that tells who called, for the application in a variable. */
  readonly route: (variable: string) => string;
  /** A test of the middleware. `tested` is how the test imports the file with it. */
  readonly test: (tested: string) => string;
}

interface Routes {
  /** Where they may lie; the first that is there counts. */
  readonly folders: readonly string[];
  /** The new one's name below that, without its ending. */
  readonly file: string;
  /** Its text. `auth` is how it imports the file with the middleware. */
  readonly text: (auth: string, style: Style) => string;
}

const written =
  "// Who may call: whoever brings a token of the platform's that is meant for this application.";
const answer = `{ client: caller.client ?? null, user: caller.user?.sub ?? null }`;
const testHead = `import assert from "node:assert/strict";\nimport { test } from "node:test";\n`;
const testName = "whoever brings no token is refused (RFC 6750 section 3)";
const noCreation = (title: string): string =>
  `no file here makes an application of ${title}, at the start of a line`;

const fastifyRoute = (app: string): string => `
${app}.get("/api/me", { onRequest: requireCaller }, async (request) => {
  const caller = callerOf(request);
  return ${answer};
});
`;

/** The frameworks that are known; the first whose dependency is there counts. */
export const frameworks: readonly Framework[] = [
  {
    title: "Next.js",
    dependency: "next",
    missing: "there is no app folder here, where Next.js looks for routes",
    routes: {
      folders: ["src/app", "app"],
      file: "api/me/route",
      text: () => `${written}
import { requireToken } from "@portvakt/sdk/fetch";

export const GET = requireToken()((_request, caller) => Response.json(${answer}));
`,
    },
    route: () => "",
    test: (route) => `${testHead}import { GET } from "${route}";

test("${testName}", async () => {
  const response = await GET(new Request("http://localhost/api/me"));
  assert.equal(response.status, 401);
  assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer/);
});
`,
  },
  {
    title: "Express",
    dependency: "express",
    missing: noCreation("Express"),
    creation: /^(?:export )?(?:const|let|var)\s+(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*express\(/m,
    auth: () => `${written}
import { callerOf, requireToken } from "@portvakt/sdk/express";

export const requireCaller = requireToken();
export { callerOf };
`,
    route: (app) => `
${app}.get("/api/me", requireCaller, (request, response) => {
  const caller = callerOf(request);
  response.json(${answer});
});
`,
    test: (auth) => `${testHead}import express from "express";
import { requireCaller } from "${auth}";

test("${testName}", async (t) => {
  const app = express();
  app.get("/", requireCaller, (_request, response) => {
    response.send("in");
  });
  const server = app.listen(0);
  t.after(() => server.close());
  const response = await fetch(\`http://localhost:\${server.address().port}/\`);
  assert.equal(response.status, 401);
  assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer/);
});
`,
  },
  {
    title: "Fastify",
    dependency: "fastify",
    missing: noCreation("Fastify"),
    creation: /^(?:export )?(?:const|let|var)\s+(\w+)(?:\s*:\s*[\w.]+)?\s*=\s*(?:await\s+)?[fF]astify\(/m,
    // as fastify-cli makes them: a folder that @fastify/autoload reads
    routes: {
      folders: ["src/routes", "routes"],
      file: "api/me/index",
      text: (auth, { typed, common }) => {
        const imported = common
          ? `const { callerOf, requireCaller } = require("${auth}");\n`
          : `${typed ? 'import type { FastifyInstance } from "fastify";\n' : ""}import { callerOf, requireCaller } from "${auth}";\n`;
        const head = common ? "module.exports =" : "export default";
        const route = fastifyRoute("fastify").trim().replace('"/api/me"', '"/"').replaceAll("\n", "\n  ");
        return `${imported}
// GET /api/me
${head} async function (fastify${typed ? ": FastifyInstance" : ""}) {
  ${route}
}
`;
      },
    },
    auth: () => `${written}
import { callerOf, requireToken } from "@portvakt/sdk/fastify";

export const requireCaller = requireToken();
export { callerOf };
`,
    route: fastifyRoute,
    test: (auth) => `${testHead}import Fastify from "fastify";
import { requireCaller } from "${auth}";

test("${testName}", async () => {
  const app = Fastify();
  app.get("/", { onRequest: requireCaller }, async () => "in");
  const response = await app.inject("/");
  assert.equal(response.statusCode, 401);
  assert.match(String(response.headers["www-authenticate"]), /^Bearer/);
});
`,
  },
  {
    title: "Hono",
    dependency: "hono",
    missing: noCreation("Hono"),
    creation: /^(?:export )?(?:const|let|var)\s+(\w+)\s*=\s*new Hono\b/m,
    auth: ({ typed }) => `${written}
${typed ? 'import type { Caller } from "@portvakt/sdk";\n' : ""}import { requireToken } from "@portvakt/sdk/hono";
${typed ? 'import type { Context } from "hono";\n' : ""}
export const requireCaller = requireToken();
export const callerOf = (context${typed ? ": Context" : ""})${typed ? ": Caller" : ""} => context.get("caller");
`,
    route: (app) => `
${app}.get("/api/me", requireCaller, (context) => {
  const caller = callerOf(context);
  return context.json(${answer});
});
`,
    test: (auth) => `${testHead}import { Hono } from "hono";
import { requireCaller } from "${auth}";

test("${testName}", async () => {
  const app = new Hono();
  app.get("/", requireCaller, (context) => context.text("in"));
  const response = await app.request("/");
  assert.equal(response.status, 401);
  assert.match(response.headers.get("www-authenticate") ?? "", /^Bearer/);
});
`,
  },
];
