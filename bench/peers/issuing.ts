// A token endpoint that costs next to nothing: a new token of usual length for whoever asks. For filling memories.
import { randomBytes } from "node:crypto";
import http from "node:http";
import { announce } from "./announce.ts";

const server = http.createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    const token = `e30.${randomBytes(650).toString("base64url")}.x`;
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ access_token: token, token_type: "Bearer", expires_in: 3600 }));
  });
});
announce(server);
