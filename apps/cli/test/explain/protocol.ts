// Every error code of the protocols, as it reaches an application: in the answer of a server that was asked for a token, or of
// a resource. The stand-in is told to send each once; the fix is the step that the explanation names, after which the same
// request is served.
import { protocolErrors } from "@portvakt/oauth";
import { clients, type Form, type Kit, type Scenarios } from "./kit.ts";

const asked: Form = {
  grant_type: "client_credentials",
  scope: `api://${clients.grouped}/.default`,
  client_id: clients.front,
  client_secret: "secret-of-the-client",
};

export function protocolScenarios(kit: Kit): Scenarios {
  const send = (): Promise<string> => kit.ask(kit.tokenUrl.entra, asked);
  return Object.fromEntries(
    Object.entries(protocolErrors).map(([error, { status }]) => [
      error,
      {
        wrong: () => {
          kit.idp.fail({ effect: "error", provider: "entra", endpoint: "token", error, status });
          return send();
        },
        fixed: send,
      },
    ]),
  );
}
