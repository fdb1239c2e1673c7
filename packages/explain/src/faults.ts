import type { FaultCode } from "@portvakt/oauth";
import { meaning, type Meaning } from "./meaning.ts";

/** What goes wrong between servers. Callers are told server_error or temporarily_unavailable; these stand in the logs. */
export const faultMeanings: Readonly<Record<FaultCode, Meaning>> = {
  unreachable: meaning(
    "platform",
    "A peer did not answer in time, or the connection failed.",
    "Check the address in the log line, the way to it, and whether the peer is up.",
  ),
  bad_response: meaning(
    "platform",
    "A peer answered with something that its protocol does not allow.",
    "Check that the address is the peer's, and for a proxy on the way that answers in its place.",
  ),
  too_large: meaning(
    "platform",
    "A peer's answer was larger than is ever read.",
    "Check that the address is the peer's; a key set or a token answer of such a size is a mistake or an attack.",
  ),
  bad_key: meaning(
    "platform",
    "A key that the process was given cannot be used: it is malformed, too weak, or lacks kid or alg.",
    "Make a new one; the log line says what is wrong with it.",
  ),
  issuer_mismatch: meaning(
    "platform",
    "A metadata document names another issuer than the one it was fetched for (RFC 8414 section 3.3).",
    "Set the issuer's own address; test and production are probably mixed up.",
  ),
};
