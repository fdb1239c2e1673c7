import { jsonOption, manifestOptions } from "../manifests/options.ts";
import { registrarNotes, tokenxOptions } from "../tokenx/options.ts";
import type { Verb } from "../verb.ts";

const credentialOptions = {
  format: { type: "string", value: "<format>", summary: "env (if not given) or secret, for Kubernetes" },
  output: {
    type: "string",
    short: "o",
    value: "<folder>",
    summary: "where credentials are written, .portvakt/credentials if not given",
  },
  keys: {
    type: "string",
    value: "<folder>",
    summary: "where private keys are kept, .portvakt/client-keys if not given",
  },
  keep: {
    type: "string",
    value: "<time>",
    summary: "how long a replaced key stays registered, 7d if not given",
  },
  "replace-keys": {
    type: "boolean",
    summary: "new keys in place of those that are not kept here",
  },
} as const;

/** The verbs that register clients. */
export const applyVerbs: readonly Verb[] = [
  {
    name: "apply",
    summary: "register these applications with TokenX, write their credentials",
    usage: "portvakt apply [--tokenx <url>] [options]",
    example: "portvakt apply -f manifests/ --tokenx https://tokenx.example --format secret -o secrets/",
    options: {
      ...tokenxOptions,
      ...credentialOptions,
      yes: { type: "boolean", short: "y", summary: "apply although somebody loses access" },
      ...manifestOptions,
      ...jsonOption,
    },
    notes: [
      "Shows first what `portvakt plan` would show; when somebody would lose access, nothing is done without --yes.",
      "Keys are made here and stay here; TokenX gets the public halves, in a software statement of the registrar's.",
      "Where it has keys of an application that are not kept here, nothing is done without --replace-keys.",
      ...registrarNotes,
    ],
    run: async (args, around) => (await import("./apply.ts")).runApply(args, around),
  },
  {
    name: "keys",
    summary: "the applications' keys: list them, or rotate them",
    usage: "portvakt keys (list | rotate [<app>...]) [options]",
    example: "portvakt keys rotate application-api -f manifests/ --tokenx https://tokenx.example",
    words: { least: 1, most: 1000, wanted: "list, or rotate and the applications to rotate" },
    completes: ["list", "rotate"],
    options: { ...tokenxOptions, ...credentialOptions, ...manifestOptions, ...jsonOption },
    notes: [
      "A rotated key stays registered beside the new one for the time of --keep, so that whoever has not restarted yet is",
      "served. Rotating or applying after that time takes it away.",
    ],
    run: async (args, around) => (await import("./rotate.ts")).runKeys(args, around),
  },
];
