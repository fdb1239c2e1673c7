import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { graphMermaid, graphOf, graphSvg, nextTo, type Graph } from "@portvakt/policy";
import { exitCodes, usageError, type ExitCode } from "../failure.ts";
import { declaration } from "../manifests/declared.ts";
import { applicationNamed } from "../manifests/names.ts";
import { text, type Arguments, type Surroundings } from "../verb.ts";

/** The forms that a graph can be written in. */
const formats: Readonly<Record<string, (graph: Graph) => string>> = {
  svg: graphSvg,
  mermaid: graphMermaid,
  json: (graph) => `${JSON.stringify(graph)}\n`,
};

/** `portvakt graph`: who may call whom. */
export async function runGraph(args: Arguments, around: Surroundings): Promise<ExitCode> {
  const format = text(args, "format") ?? "svg";
  const write = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (write === undefined) {
    throw usageError(`--format wants one of ${Object.keys(formats).join(", ")}, not ${format}`, "graph");
  }
  const declared = await declaration("graph", args, around);
  const whole = graphOf(declared);
  const focus = text(args, "focus");
  const graph = focus === undefined ? whole : nextTo(whole, applicationNamed(focus, declared));
  const picture = write(graph);
  const output = text(args, "output");
  if (output === undefined) around.terminal.out(picture);
  else await writeFile(resolve(around.folder, output), picture);
  return exitCodes.yes;
}
