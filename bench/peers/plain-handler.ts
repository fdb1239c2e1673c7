// What the token API is measured beside: a bare node:http server that reads a JSON body and answers some JSON.
import http from "node:http";
import { announce } from "./announce.ts";

const server = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { token } = JSON.parse(Buffer.concat(chunks).toString()) as { token: string };
    const body = JSON.stringify({ active: false, length: token.length });
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
    });
    response.end(body);
  });
});
announce(server);
