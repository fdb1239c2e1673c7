import { jsonOption } from "../manifests/options.ts";
import type { Verb } from "../verb.ts";

/** The verb that sets an existing application up. */
export const initVerbs: readonly Verb[] = [
  {
    name: "init",
    summary: "set up an application of Express, Fastify, Hono or Next.js",
    usage: "portvakt init [--yes] [options]",
    example: "portvakt init --namespace benefits --yes",
    options: {
      yes: { type: "boolean", short: "y", summary: "write the changes, install, build and test" },
      namespace: {
        type: "string",
        value: "<name>",
        summary: "the application's namespace, default if not given",
      },
      team: { type: "string", value: "<name>", summary: "the team that owns it, the namespace if not given" },
      sdk: {
        type: "string",
        value: "<version or file>",
        summary: "the SDK to depend on: a version, or a packed file (.tgz)",
      },
      ...jsonOption,
    },
    notes: [
      "Shows the changes as a diff, and writes nothing without --yes. Adds a manifest where there is none, requireCaller and",
      "callerOf, a route /api/me that tells who called, a test that whoever brings no token is refused, and npm scripts. A fixed",
      "port becomes what it is without PORT, by which the platform says where to listen.",
    ],
    run: async (args, around) => (await import("./run.ts")).runInit(args, around),
  },
];
