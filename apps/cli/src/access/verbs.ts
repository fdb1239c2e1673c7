import { jsonOption, manifestOptions } from "../manifests/options.ts";
import type { Verb } from "../verb.ts";

const twoApplications = {
  least: 2,
  most: 2,
  wanted: "two applications: who calls, and who is called",
} as const;

/** The verbs that answer from manifests alone: who may call whom. */
export const accessVerbs: readonly Verb[] = [
  {
    name: "can",
    summary: "may one application call another, and if not, what would change it",
    usage: "portvakt can <app> <app> [options]",
    example: "portvakt can portal case-api -f manifests/",
    words: twoApplications,
    completes: "applications",
    options: {
      user: {
        type: "string",
        value: "<persona>",
        summary: "on behalf of this persona, such as kari or anna",
      },
      way: { type: "string", value: "<way>", summary: "only this way: citizen, employee or itself" },
      scope: { type: "string", multiple: true, value: "<scope>", summary: "ask for this scope too" },
      fix: { type: "boolean", summary: "write the missing lines into the manifests, and show them" },
      ...manifestOptions,
      ...jsonOption,
    },
    notes: [
      "An application is name, namespace:name or cluster:namespace:name. Without -f it is about the platform that runs",
      "here, else about .nais/, nais.yaml or app.yaml. Ends with 0 when some way is open, with 1 when none is.",
    ],
    run: async (args, around) => (await import("./can.ts")).runCan(args, around),
  },
  {
    name: "plan",
    summary: "who gains and who loses access if these manifests were in force",
    usage: "portvakt plan --against <folder or server> [options]",
    example: "portvakt plan -f manifests/ --against ../main/manifests",
    options: {
      against: {
        type: "string",
        value: "<where>",
        summary: "manifests that count today: a file, a folder, or the address of a TokenX",
      },
      ...manifestOptions,
      ...jsonOption,
    },
    notes: [
      "Ends with 0 when nobody loses access, with 1 when somebody does; fewer roles, scopes, groups or",
      "organisations are a loss too.",
      "Against a TokenX, only what it knows is compared: calls on behalf of citizens.",
    ],
    run: async (args, around) => (await import("./plan.ts")).runPlan(args, around),
  },
  {
    name: "graph",
    summary: "who may call whom, as a picture",
    usage: "portvakt graph [--format svg|mermaid|json] [options]",
    example: "portvakt graph --demo > graph.svg",
    options: {
      format: { type: "string", value: "<format>", summary: "svg (if not given), mermaid or json" },
      output: { type: "string", short: "o", value: "<file>", summary: "write it there, and not to stdout" },
      focus: { type: "string", value: "<app>", summary: "only this application and those next to it" },
      ...manifestOptions,
    },
    run: async (args, around) => (await import("./graph.ts")).runGraph(args, around),
  },
];
