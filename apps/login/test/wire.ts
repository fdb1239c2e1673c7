// Raw bytes to a listener and back: what no HTTP client would send.
import net from "node:net";
import { once } from "node:events";

/** After so long what is waited for will not come. */
const patienceMilliseconds = 20_000;

/** Sends the text as it is and gives everything that comes back until the other side closes or `until` is seen. */
export async function sendRaw(address: string, text: string, until?: RegExp): Promise<string> {
  const [host, port] = address.split(":");
  const socket = net.connect(Number(port), host);
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("error", () => undefined);
  const seen = new Promise<void>((resolve) => {
    socket.on("data", (chunk: string) => {
      answer += chunk;
      if (until?.test(answer) === true) resolve();
    });
  });
  const late = setTimeout(() => socket.destroy(), patienceMilliseconds);
  socket.write(text, "latin1");
  await Promise.race([once(socket, "close"), seen]);
  clearTimeout(late);
  socket.destroy();
  return answer;
}
