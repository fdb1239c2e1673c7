import { jsonOption, manifestOptions } from "../manifests/options.ts";
import type { Verb } from "../verb.ts";

const { state, ...manifests } = manifestOptions;

/** The verbs about tokens, and about why there is none. */
export const tokenVerbs: readonly Verb[] = [
  {
    name: "token",
    summary: "a token for curl, now; only from stand-ins",
    usage: "portvakt token --as <app> (--to <app> | --scope <scope>) [options]",
    example:
      'curl -H "Authorization: Bearer $(portvakt token -q --as portal --to application-api --user kari)" localhost:7030',
    completes: "applications",
    options: {
      as: { type: "string", value: "<app>", summary: "the application that calls" },
      to: { type: "string", value: "<app>", summary: "the application to call" },
      user: {
        type: "string",
        value: "<persona>",
        summary: "on behalf of this persona, such as kari or anna",
      },
      scope: {
        type: "string",
        multiple: true,
        value: "<scope>",
        summary: "ask for this scope; without --to, of Maskinporten",
      },
      claim: {
        type: "string",
        multiple: true,
        value: "<name=value>",
        summary: "a claim of your own in the token",
      },
      quiet: { type: "boolean", short: "q", summary: "the token, and not a word more" },
      ...manifests,
      state,
      ...jsonOption,
    },
    notes: [
      "Asks the way an application does: the caller's token API, the provider, the target's access policy. A persona who is",
      "a citizen goes through TokenX, an employee through Entra ID, nobody: the caller as itself. Needs a running `portvakt dev`.",
    ],
    run: async (args, around) => (await import("./token.ts")).runToken(args, around),
  },
  {
    name: "inspect",
    summary: "a token in words: what it says, whether it holds, who takes it",
    usage: "portvakt inspect [<token> | -] [options]",
    example: "portvakt token -q --as portal --to application-api --user kari | portvakt inspect -",
    words: { least: 0, most: 1, wanted: "a token" },
    options: {
      issuer: {
        type: "string",
        multiple: true,
        value: "<url>",
        summary: "verify tokens of this issuer too; its metadata is fetched",
      },
      state,
      ...jsonOption,
    },
    notes: [
      "The token is never sent anywhere: only the key sets of the running platform's issuers are fetched, and of --issuer.",
      "Ends with 0 when the token is valid now, with 1 when it is not or nobody here knows its issuer.",
    ],
    run: async (args, around) => (await import("./inspect.ts")).runInspect(args, around),
  },
  {
    name: "explain",
    summary: "why a call was refused, whose move it is, and what to do",
    usage: "portvakt explain [<decision id | code | token> | -] [options]",
    example: "portvakt explain AADSTS501051",
    words: { least: 0, most: 1, wanted: "a decision's id, a code or a token" },
    options: {
      logs: { type: "string", value: "<folder>", summary: "the servers' logs, .portvakt/logs if not given" },
      fix: { type: "boolean", summary: "write the missing lines into the manifests, and show them" },
      ...manifests,
      state,
      issuer: { type: "string", multiple: true, value: "<url>", summary: "verify tokens of this issuer too" },
      ...jsonOption,
    },
    notes: [
      "Knows every reason of the access policy, the codes of Entra ID (AADSTS…) and Maskinporten (MP-…), why tokens are",
      "refused, and the protocols' errors. From stdin it takes a whole answer, or a line of a log.",
    ],
    run: async (args, around) => (await import("../explain/run.ts")).runExplain(args, around),
  },
];
