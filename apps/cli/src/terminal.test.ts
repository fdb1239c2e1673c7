import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError } from "./failure.ts";
import { createPaint, inLine, patient, printable, tell, type Terminal } from "./terminal.ts";

function recorded(): { terminal: Terminal; said: string[] } {
  const said: string[] = [];
  const terminal: Terminal = {
    out: (text) => void said.push(`out ${text}`),
    err: (text) => void said.push(`err ${text}`),
    paint: createPaint({ isTerminal: false, noColor: undefined }),
  };
  return { terminal, said };
}

test("what takes longer than a second says so, in a line that is taken back before the answer", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { terminal, said } = recorded();
  const waiting = patient(terminal, "portvakt doctor");
  t.mock.timers.tick(2000);
  waiting.terminal.out("the answer\n");
  t.mock.timers.tick(5000);
  waiting.over();
  assert.deepEqual(said, [
    "err \rportvakt doctor ... 1 s",
    "err \rportvakt doctor ... 2 s",
    "err \r\u001b[K",
    "out the answer\n",
  ]);
});

test("what is quick says nothing but its answer", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const { terminal, said } = recorded();
  const waiting = patient(terminal, "portvakt can");
  t.mock.timers.tick(999);
  waiting.terminal.err("no\n");
  waiting.over();
  assert.deepEqual(said, ["err no\n"]);
});

test("colours are a terminal's only, and NO_COLOR turns them off", () => {
  assert.equal(createPaint({ isTerminal: true, noColor: undefined })("red", "x"), "\u001b[31mx\u001b[39m");
  assert.equal(createPaint({ isTerminal: true, noColor: "" })("red", "x"), "\u001b[31mx\u001b[39m");
  assert.equal(createPaint({ isTerminal: true, noColor: "1" })("red", "x"), "x");
  assert.equal(createPaint({ isTerminal: false, noColor: undefined })("red", "x"), "x");
});

test("CWE-150: what would steer the terminal is spelt out", () => {
  const text = "a\u001b[2J\u009b31m\u0007\r\u202eb\u0000\u007f\tc\nd å 日本 👍🏽";
  assert.equal(printable(text), "a\\u001b[2J\\u009b31m\\u0007\\u000d\\u202eb\\u0000\\u007f\tc\nd å 日本 👍🏽");
  assert.equal(inLine("one\r\ntwo"), "one\\u000d\\ntwo");
});

test("CWE-150: an error that quotes somebody is one block of its own", () => {
  const { terminal, said } = recorded();
  tell(new CommandError("refused: \u001b[31mbad\nvalid  signed by TokenX", { hints: ["a\nb"] }), terminal);
  assert.deepEqual(said, [
    "err portvakt: refused: \\u001b[31mbad\n  valid  signed by TokenX\n",
    "err hint: a\n  b\n",
  ]);
});

test("of very many things that are wrong the first are told, and how many there are", () => {
  const { terminal, said } = recorded();
  const others = Array.from({ length: 2000 }, (_, index) => ({ sentence: `${index}`, hints: [] }));
  tell(new CommandError("first", { others }), terminal);
  assert.equal(said.length, 101);
  assert.equal(said.at(-1), "err and 1901 more like these\n");
});
