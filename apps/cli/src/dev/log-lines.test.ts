import assert from "node:assert/strict";
import { test } from "node:test";
import { worthShowing } from "./log-lines.ts";

const cases: readonly { name: string; line: string; isError?: true; shown: string | undefined }[] = [
  { name: "an information of a JSON log", line: '{"level":"info","msg":"listening"}', shown: undefined },
  { name: "a warning", line: '{"level":"warn","msg":"keys are old"}', shown: "keys are old" },
  {
    name: "an error with its cause",
    line: '{"level":"error","msg":"no keys","err":{"message":"refused"}}',
    shown: "no keys: refused",
  },
  { name: "a level as a number", line: '{"level":50,"msg":"broken"}', shown: "broken" },
  { name: "a plain line on stdout", line: "hello", shown: undefined },
  { name: "a plain line on stderr", line: "Warning: x", isError: true, shown: "Warning: x" },
  { name: "half a JSON line on stderr", line: '{"level":', isError: true, shown: '{"level":' },
  { name: "an empty line", line: "  ", isError: true, shown: undefined },
];
for (const { name, line, isError, shown } of cases) {
  test(`${name} is ${shown === undefined ? "kept in the file only" : "shown"}`, () =>
    assert.equal(worthShowing(line, isError === true), shown));
}
