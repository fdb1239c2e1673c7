import { jsonOption, manifestOptions } from "../manifests/options.ts";
import type { Verb } from "../verb.ts";

/** The verb that looks for what usually goes wrong. */
export const doctorVerbs: readonly Verb[] = [
  {
    name: "doctor",
    summary: "look at everything that usually goes wrong, and say how to fix it",
    usage: "portvakt doctor [options]",
    example: "portvakt doctor --all",
    options: {
      all: { type: "boolean", short: "a", summary: "show what is good, too" },
      ...manifestOptions,
      ...jsonOption,
    },
    notes: [
      "Manifests: mistakes, open doors, redirect URIs to register. Providers, of the running platform and of the environment",
      "(*_WELL_KNOWN_URL): reachable from here, the right issuer, keys, clocks. Applications, sign-ins, cookies, the age of keys.",
    ],
    run: async (args, around) => (await import("./run.ts")).runDoctor(args, around),
  },
];
