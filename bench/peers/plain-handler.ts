// What the token API is measured beside: a bare node:http server that reads a JSON body and answers some JSON.
import http from "node:http";
import type { AddressInfo } from "node:net";

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
server.listen(0, "127.0.0.1", () => {
  process.send?.({
    type: "listening",
    addresses: { main: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
  });
});
process.on("disconnect", () => process.exit(0));
