import { objectToIdToken, objectToType } from "./access-token.ts";
import type { Provider } from "./provider.ts";

/** ID-porten: citizens. It issues tokens at sign-in only; to call onward, they are exchanged at TokenX. */
export const idporten: Provider = {
  name: "idporten",
  title: "ID-porten",
  aliases: [],
  introspection: {
    // The audience is the resource indicator (RFC 8707) that the login proxy asks for, not a client.
    rules: ({ issuer, audience, keys }) => ({ issuer, audience, keys, algorithms: ["RS256"] }),
    objection: (token) => objectToType(token) ?? objectToIdToken(token.claims),
    kind: () => "user",
    byReference: true,
  },
  explain: () => undefined,
};
