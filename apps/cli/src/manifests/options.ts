import type { Option } from "../verb.ts";

/** The options of every verb that reads manifests. */
export const manifestOptions = {
  file: {
    type: "string",
    short: "f",
    multiple: true,
    value: "<file>",
    summary: "a manifest, or a folder of them; may be given more than once",
  },
  values: {
    type: "string",
    multiple: true,
    value: "<file>",
    summary: "values for {{ name }} in the manifests, YAML or JSON; the last one counts",
  },
  cluster: { type: "string", value: "<name>", summary: "the cluster that they are for, local if not given" },
  namespace: {
    type: "string",
    value: "<name>",
    summary: "the namespace of a manifest that names none, default if not given",
  },
  demo: { type: "boolean", summary: "the example applications" },
  state: {
    type: "string",
    value: "<folder>",
    summary: "where a running platform keeps its state, .portvakt if not given",
  },
} as const satisfies Record<string, Option>;

/** `--json`, for the verbs that answer something. */
export const jsonOption = {
  json: { type: "boolean", summary: "print one JSON document on stdout and nothing else" },
} as const satisfies Record<string, Option>;
