// `portvakt dev` ends in order, whatever happens: with a sentence, with the right exit code, and with nobody left behind.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { gone, newFolder, output, portvakt, said, start } from "./harness.ts";

const manifest = (name: string, more = ""): string =>
  `apiVersion: nais.io/v1alpha1\nkind: Application\nmetadata: { name: ${name}, namespace: team-a }\nspec:\n  tokenx: { enabled: true }\n${more}`;

describe("dev ends in order", { timeout: 120_000 }, () => {
  test("after an error when everything was up", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "app.yaml"), manifest("guestbook"));
    await mkdir(join(folder, ".portvakt", "guestbook.env"), { recursive: true });
    const { code, out, err } = await output(["dev", "--port", "0", "-f", "app.yaml"], folder);
    assert.deepEqual([code, out], [3, ""]);
    assert.match(err, /\nportvakt: .*guestbook\.env cannot be written: it is a folder\n$/);
    await assert.rejects(stat(join(folder, ".portvakt", "dev.json")));
  });

  test("after an error that nobody foresaw, in a change", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "app.yaml"), manifest("guestbook"));
    const { dev, state, errors } = await start(folder, ["-f", "app.yaml"]);
    // the name of a socket cannot be opened as a file: ENXIO
    const inTheWay = createServer().listen(join(folder, ".portvakt", `registrations.json.${state.pid}.new`));
    await once(inTheWay, "listening");
    await writeFile(join(folder, "app.yaml"), manifest("guestbook", "  image: y\n"));
    assert.deepEqual(await once(dev, "exit"), [3, null]);
    inTheWay.close();
    assert.match(errors(), /\nportvakt: this should not have happened: Error: ENXIO/);
    await Promise.all(Object.values(state.processes).map(gone));
  });

  test("though a change failed, when it is told to", async () => {
    const folder = await newFolder();
    const env = join(folder, ".portvakt", "guestbook.env");
    await writeFile(join(folder, "app.yaml"), manifest("guestbook"));
    const { dev, errors } = await start(folder, ["-f", "app.yaml"]);
    await rm(env);
    await mkdir(env);
    const failed = said(dev, "stderr", "the change is not complete");
    await writeFile(join(folder, "app.yaml"), manifest("guestbook", "  image: y\n"));
    await failed;
    assert.match(errors(), /portvakt: .*guestbook\.env cannot be written: it is a folder\n/);
    await rm(env, { recursive: true });
    const done = said(dev, "stderr", "the manifests are in force");
    await writeFile(join(folder, "app.yaml"), manifest("guestbook", "  image: z\n"));
    await done;
    dev.kill("SIGTERM");
    assert.deepEqual(await once(dev, "exit"), [0, null]);
  });

  test("with a command that left a process of its own session behind, which is said", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "app.yaml"), manifest("guestbook"));
    await writeFile(
      join(folder, "server.cjs"),
      `const { createServer } = require("node:http");
       createServer((request, response) => response.end(String(process.pid))).listen(process.env.PORT);`,
    );
    await writeFile(
      join(folder, "start.cjs"),
      `const { spawn } = require("node:child_process");
       spawn(process.execPath, ["server.cjs"], { detached: true, stdio: "inherit" });`,
    );
    const { dev, state, errors } = await start(folder, [
      "-f",
      "app.yaml",
      "--",
      process.execPath,
      "start.cjs",
    ]);
    const left = Number(await (await fetch(state.applications["guestbook"]?.direct ?? "")).text());
    try {
      dev.kill("SIGINT");
      assert.deepEqual(await once(dev, "exit"), [0, null]);
      assert.match(
        errors(),
        /guestbook {2}something that it started made itself independent of it; that is not ended here/,
      );
      await Promise.all(Object.values(state.processes).map(gone));
    } finally {
      process.kill(left, "SIGKILL");
    }
  });

  test("with variables that no process, or no file, can hold, before anything is started", async () => {
    const folder = await newFolder();
    const env = (value: string): string => `  env: [{ name: A, value: "${value}" }]\n`;
    await writeFile(join(folder, "app.yaml"), manifest("guestbook", env(String.raw`'\"${"`"}`)));
    const noFile = await output(["dev", "--port", "0", "-f", "app.yaml"], folder);
    assert.equal(noFile.code, 2);
    assert.match(
      noFile.err,
      /^portvakt: app\.yaml: no file of variables can say the value of A: .*all three quotes/,
    );
    await writeFile(join(folder, "app.yaml"), manifest("guestbook", env(String.raw`a\0b`)));
    const noProcess = await output(["dev", "--port", "0", "-f", "app.yaml", "--", "true"], folder);
    assert.equal(noProcess.code, 2);
    assert.match(noProcess.err, /^portvakt: app\.yaml: the value of A holds a NUL/);
  });

  test("when the manifest of the command becomes empty: its application ends, and no other takes the command", async () => {
    const folder = await newFolder();
    await writeFile(join(folder, "front.yaml"), manifest("front"));
    await writeFile(join(folder, "back.yaml"), manifest("back"));
    await writeFile(
      join(folder, "server.cjs"),
      `console.log("I am " + process.env.NAIS_APP_NAME); require("node:http").createServer().listen(process.env.PORT);`,
    );
    const command = ["-f", "front.yaml", "-f", "back.yaml", "--", process.execPath, "server.cjs"];
    const dev = portvakt(["dev", "--port", "0", ...command], folder);
    let errors = "";
    dev.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    await said(dev, "stdout", "Portvakt is up");
    const emptied = said(dev, "stderr", "the manifests are in force");
    await writeFile(join(folder, "front.yaml"), "");
    await emptied;
    const back = said(dev, "stderr", "I am front");
    await writeFile(join(folder, "front.yaml"), manifest("front"));
    await back;
    assert.doesNotMatch(errors, /I am back/);
    dev.kill("SIGTERM");
    assert.deepEqual(await once(dev, "exit"), [0, null]);
  });
});
