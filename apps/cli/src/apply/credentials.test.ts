import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseManifests, type Application } from "@portvakt/policy";
import { parse } from "yaml";
import { formats, writeCredentials } from "./credentials.ts";

let folder = "";
before(async () => (folder = await mkdtemp(join(tmpdir(), "portvakt-credentials-"))));
after(async () => await rm(folder, { recursive: true, force: true }));

function application(name: string, { cluster = "local", team = "t" } = {}): Application {
  const metadata = JSON.stringify({ name, namespace: "no", labels: { team } });
  const text = `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: ${metadata}\n`;
  const [only] = parseManifests([{ file: "app.yaml", text }], { cluster }).applications;
  assert.ok(only);
  return only;
}

test("the same application of two clusters has two files", async () => {
  const files = await Promise.all(
    ["dev", "prod"].map(
      async (cluster) =>
        await writeCredentials(folder, formats.env, application("api", { cluster }), { A: cluster }),
    ),
  );
  assert.deepEqual(
    files.map((file) => basename(file)),
    ["dev.no.api.env", "prod.no.api.env"],
  );
  assert.match(await readFile(files[0] ?? "", "utf8"), /^A=dev$/m);
});

describe("a Secret is text to YAML 1.1, which Kubernetes reads", () => {
  for (const name of [
    "on",
    "off",
    "yes",
    "no",
    "y",
    "n",
    "true",
    "null",
    "1",
    "0777",
    "1e3",
    "0x1f",
    "2026-11-21",
  ]) {
    test(name, () => {
      const written = formats.secret.write(application(name), { FLAG: name });
      const { metadata, stringData } = parse(written, { version: "1.1" }) as {
        metadata: { namespace: unknown; labels: Record<string, unknown> };
        stringData: unknown;
      };
      assert.deepEqual(
        [metadata.labels["app"], metadata.namespace, stringData],
        [name, "no", { FLAG: name }],
      );
    });
  }

  const teams: { team: string; isLabel: boolean }[] = [
    { team: "team_a.b-c", isLabel: true },
    { team: "team a", isLabel: false },
    { team: "a\nb", isLabel: false },
    { team: "-a", isLabel: false },
    { team: "", isLabel: false },
    { team: "å", isLabel: false },
  ];
  for (const { team, isLabel } of teams) {
    test(`the label of a team named ${JSON.stringify(team)} is ${isLabel ? "there" : "left out"}`, () => {
      const { metadata } = parse(formats.secret.write(application("api", { team }), {})) as {
        metadata: { labels: Record<string, unknown> };
      };
      assert.equal(metadata.labels["team"], isLabel ? team : undefined);
    });
  }
});
