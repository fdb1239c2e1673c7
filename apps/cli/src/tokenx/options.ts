import type { Option } from "../verb.ts";

/** The options of verbs that talk to a TokenX as the platform's registrar. */
export const tokenxOptions = {
  tokenx: {
    type: "string",
    value: "<url>",
    summary: "the TokenX to talk to; PORTVAKT_TOKENX_URL, or that of the platform here, if not given",
  },
} as const satisfies Record<string, Option>;

/** What the help says of the registrar's credentials. */
export const registrarNotes = [
  "At a TokenX that is not of `portvakt dev`, PORTVAKT_REGISTRAR_ID and PORTVAKT_REGISTRAR_JWK (a private JWK) say who",
  "registers; TokenX knows them as AUTH_CLIENT_ID and AUTH_CLIENT_JWKS.",
] as const;

/** What to do where nobody is set to register as. */
export const registrarHint =
  "set PORTVAKT_REGISTRAR_ID and PORTVAKT_REGISTRAR_JWK (a private JWK), which TokenX knows as AUTH_CLIENT_ID and AUTH_CLIENT_JWKS";
