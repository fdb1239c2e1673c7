import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { birthOf, readApplications, readState, writeState, type DevState } from "./state.ts";

const folder = await mkdtemp(join(tmpdir(), "portvakt-state-"));
after(() => rm(folder, { recursive: true, force: true }));

const born = birthOf(process.pid);
const state: DevState = {
  pid: process.pid,
  ...(born === undefined ? {} : { born }),
  processes: {},
  cluster: "local",
  manifests: [],
  providers: {
    idporten: { issuer: "", jwksUri: "" },
    entra: { issuer: "", jwksUri: "" },
    maskinporten: { issuer: "", jwksUri: "" },
    tokenx: { issuer: "", jwksUri: "" },
  },
  control: "http://localhost:1",
  console: "http://localhost:2",
  applications: {},
};

describe("the state of a platform", () => {
  test("is believed while its process runs", async () => {
    await writeState(folder, state);
    assert.deepEqual(await readState(folder), state);
  });

  test("of a process whose number another one has by now, it counts as none", async () => {
    const other = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
    await once(other, "spawn");
    await writeState(folder, { ...state, pid: other.pid ?? 0 });
    assert.notEqual(birthOf(other.pid ?? 0), born);
    assert.equal(await readState(folder), undefined);
    other.kill("SIGKILL");
    await once(other, "exit");
    assert.equal(await readState(folder), undefined);
  });

  const forged: readonly { name: string; text: string }[] = [
    { name: "our own process group for a process", text: JSON.stringify({ ...state, pid: 0 }) },
    { name: "everybody for a process", text: JSON.stringify({ ...state, pid: -1 }) },
    { name: "no birth", text: JSON.stringify({ ...state, born: undefined }) },
    { name: "no object", text: "null" },
    { name: "half a file", text: "{" },
  ];
  for (const { name, text } of forged) {
    test(`with ${name}, it counts as none`, async () => {
      await writeFile(join(folder, "dev.json"), text);
      assert.equal(await readState(folder), undefined);
    });
  }
});

test("an application in force whose id is none is left out, whoever wrote it there", async () => {
  const ids = ["local:a:b", "../../x", "a:b:c/../d", "local:a:b\u001b[2J", "", null, 7];
  await writeFile(join(folder, "applications.json"), JSON.stringify(ids.map((id) => ({ id }))));
  const read = await readApplications(folder);
  assert.deepEqual(
    read.map(({ id }) => id),
    ["local:a:b"],
  );
});
