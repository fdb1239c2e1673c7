// The application behind the proxies: answers every request with the same kilobyte, at next to no cost, so that the core that
// it shares with the load generator does not hold the proxies back.
import net from "node:net";
import { announce } from "./announce.ts";

const body = "x".repeat(1024);
const answer = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
);
const headEnd = Buffer.from("\r\n\r\n");

const server = net.createServer({ noDelay: true }, (socket) => {
  let open: Buffer = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    open = open.length === 0 ? chunk : Buffer.concat([open, chunk]);
    for (let end = open.indexOf(headEnd); end >= 0; end = open.indexOf(headEnd)) {
      open = open.subarray(end + 4);
      socket.write(answer);
    }
  });
});
announce(server);
