// `portvakt dev`: a changed manifest is in force at once (`npm run bench dev` says how soon), and the verbs that talk to a running platform.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { newFolder, output, said, start, type State } from "./harness.ts";

const head = "apiVersion: nais.io/v1alpha1\nkind: Application\n";
const front = `${head}metadata: { name: front, namespace: team-a }
spec:
  idporten: { enabled: true, sidecar: { enabled: true } }
  tokenx: { enabled: true }
`;
const back = (caller: string, port = ""): string => `${head}metadata: { name: back, namespace: team-a }
spec:
  tokenx: { enabled: true }${port}
  accessPolicy:
    inbound:
      rules:
        - application: ${caller}
`;

describe("a platform that runs", { timeout: 120_000 }, () => {
  test("an edited manifest is live at once; token, inspect, explain and its fix go together", async (t) => {
    const folder = await newFolder();
    const file = join(folder, "back.yaml");
    await writeFile(join(folder, "front.yaml"), front);
    await writeFile(file, back("other"));
    const { dev } = await start(folder, ["-f", "front.yaml", "-f", "back.yaml"]);
    let errors = "";
    dev.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const token = (...more: string[]) =>
      output(["token", "--as", "front", "--to", "back", "--user", "kari", ...more], folder);

    const refused = await token();
    assert.equal(refused.code, 1);
    assert.match(
      refused.err,
      /portvakt: refused: invalid_target: the access policy does not admit this client/,
    );
    const id = /`portvakt explain (\w{10})`/.exec(refused.err)?.[1] ?? "";
    const explained = await output(["explain", id], folder);
    assert.equal(explained.code, 0, explained.err);
    assert.match(explained.out, /cause {7}local:team-a:back does not admit local:team-a:front/);
    assert.match(explained.out, /whose move: the target's team\n {6}Add to back\.yaml:8/);

    const taken = said(dev, "stderr", "the manifests are in force");
    const fixed = await output(["explain", id, "--fix"], folder);
    assert.match(fixed.err, /\+ {8}- application: front/);
    await taken;
    t.diagnostic(
      /the manifests are in force after [\d.]+ s/.exec(errors)?.[0] ?? assert.fail("how long is not said"),
    );
    assert.match(errors, /\+ local:team-a:front -> local:team-a:back {2}on behalf of a citizen/);
    const { code, out, err } = await token("-q");
    assert.deepEqual([code, err], [0, ""]);

    const inspected = await output(["inspect", out.trim()], folder);
    assert.equal(inspected.code, 0, inspected.err);
    assert.match(inspected.out, /pid +17858430038 +the citizen's national identity number/);
    assert.match(
      inspected.out,
      /valid {2}signed by TokenX, and within its time\n {2}yes {2}local:team-a:back takes it/,
    );
    const tampered = await output(["inspect", `${out.trim().slice(0, -8)}AAAAAAAA`], folder);
    assert.equal(tampered.code, 1);
    assert.match(
      tampered.out,
      /not valid {2}the signature does not match the token\n {2}cause {7}The token was changed/,
    );

    const doctor = await output(["doctor", "--all"], folder);
    assert.equal(doctor.code, 1, "nobody started the applications themselves");
    assert.match(doctor.out, /ok {4}TokenX of the platform here: its metadata names the issuer http/);
    assert.match(doctor.out, /ok {4}Entra ID of the platform here: its clock and the one here agree/);
    assert.match(doctor.out, /ok {4}front: a sign-in sets \d+ cookies? of \d+ bytes/);
    assert.match(
      doctor.out,
      /BAD {3}back: for people and other applications: http\S+ does not answer\n {6}fix: start it/,
    );

    const nothing = said(dev, "stderr", "nothing was changed");
    await writeFile(file, back("front").replace("application: front", "aplication: front"));
    await nothing;
    assert.match(errors, /back\.yaml:9:11: .*aplication is not a field/);
    assert.equal((await token("-q")).code, 0, "the manifests of before stay in force");

    const closed = said(dev, "stderr", "- local:team-a:front -> local:team-a:back");
    await writeFile(file, back("nobody"));
    await closed;
    assert.equal((await token("-q")).code, 1, "access that was taken away is gone at once");

    const restarted = said(dev, "stderr", "started again: the token API of back");
    await writeFile(file, back("nobody", "\n  azure: { application: { enabled: true } }"));
    await restarted;
    const state = JSON.parse(await readFile(join(folder, ".portvakt", "dev.json"), "utf8")) as {
      applications: Record<string, { clients: Record<string, string> }>;
    };
    assert.ok(state.applications["back"]?.clients["entra"]);

    dev.kill("SIGTERM");
    assert.deepEqual(await once(dev, "exit"), [0, null]);
  });

  test("of a folder, manifests that come and go are live at once, and nobody else is started again", async () => {
    const folder = await newFolder();
    await mkdir(join(folder, "apps"));
    await writeFile(join(folder, "apps", "front.yaml"), front);
    await writeFile(join(folder, "values.yaml"), "caller: other\n");
    const { dev, state } = await start(folder, ["-f", "apps", "--values", "values.yaml"]);
    let errors = "";
    dev.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    const changed = async (change: () => Promise<unknown>, says: string): Promise<void> => {
      const told = said(dev, "stderr", says);
      await change();
      await told;
    };
    const token = () => output(["token", "-q", "--as", "front", "--to", "back", "--user", "kari"], folder);
    const running = async () =>
      (JSON.parse(await readFile(join(folder, ".portvakt", "dev.json"), "utf8")) as State).applications;

    // a file of a new folder, whose name comes before the one that was there
    const file = join(folder, "apps", "a", "back.yaml");
    await mkdir(join(folder, "apps", "a"));
    await changed(() => writeFile(file, back("{{ caller }}")), "started again: the token API of back");
    assert.equal((await token()).code, 1, "nobody is admitted yet");
    assert.deepEqual((await running())["front"], state.applications["front"], "addresses stay");
    assert.doesNotMatch(errors, /front-sidecar|sidecar of front/);

    await changed(
      () => writeFile(join(folder, "values.yaml"), "caller: front\n"),
      "+ local:team-a:front -> local:team-a:back",
    );
    assert.equal((await token()).code, 0);
    await changed(() => rm(file), "- local:team-a:front -> local:team-a:back");
    assert.equal((await running())["back"], undefined);
    await changed(() => writeFile(file, back("front")), "+ local:team-a:front -> local:team-a:back");
    await changed(
      () => rm(join(folder, "apps", "a"), { recursive: true }),
      "- local:team-a:front -> local:team-a:back",
    );
    dev.kill("SIGTERM");
    assert.deepEqual(await once(dev, "exit"), [0, null]);
  });

  test("a folder that is taken away, with another in its place later, is followed again", async () => {
    const folder = await newFolder();
    const [deep, file] = [join(folder, "deploy", "prod"), join(folder, "deploy", "prod", "front.yaml")];
    await mkdir(deep, { recursive: true });
    await writeFile(file, front);
    const { dev } = await start(folder, ["-f", "deploy/prod/front.yaml"]);
    for (const _round of [1, 2]) {
      const missed = said(dev, "stderr", "nothing was changed");
      await rm(join(folder, "deploy"), { recursive: true });
      await missed;
      const taken = said(dev, "stderr", "the manifests are in force");
      await mkdir(deep, { recursive: true });
      await writeFile(file, front);
      await taken;
    }
    dev.kill("SIGTERM");
    assert.deepEqual(await once(dev, "exit"), [0, null]);
  });

  test("without one, what needs it says so", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "app.yaml"), front);
    const { code, err } = await output(["token", "--as", "front", "--to", "front"], folder);
    assert.equal(code, 3);
    assert.match(
      err,
      /no platform runs here, and tokens come from its stand-ins only\nhint: start one with `portvakt dev/,
    );
  });
});
