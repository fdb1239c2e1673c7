// What a token exchange is measured beside: a bare node:http server that checks two signatures and makes one for each request, and does
// nothing else. So much of the time is the runtime's.
import { generateKeyPairSync, sign, verify } from "node:crypto";
import http from "node:http";
import { announce } from "./announce.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
/** As long as the signed part of a token. */
const signed = Buffer.alloc(600, "x");
const signature = sign("sha256", signed, privateKey);

const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const asked = Buffer.concat(chunks).toString().length;
    const areRight = [1, 2].every(() => verify("sha256", signed, publicKey, signature));
    sign("sha256", signed, privateKey, (error, made) => {
      const body = JSON.stringify({ access_token: made?.toString("base64url"), asked });
      response.writeHead(areRight && error === null ? 200 : 500, {
        "content-type": "application/json",
        "content-length": body.length,
      });
      response.end(body);
    });
  });
});
announce(server);
