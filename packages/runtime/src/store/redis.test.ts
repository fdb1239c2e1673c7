import assert from "node:assert/strict";
import { before, it } from "node:test";
import { Secret } from "../observe/index.ts";
import { openKeyValueStore } from "./index.ts";
import { keyValueSuite } from "./suite.ts";

const address = process.env["PORTVAKT_TEST_REDIS_URL"] ?? "";

it("has a Redis or Valkey server to test against", () => {
  assert.ok(
    address !== "",
    "PORTVAKT_TEST_REDIS_URL is not set: start a server and name it, for example redis://127.0.0.1:6379",
  );
});
