import { base64url } from "jose";
import { equalConstantTime } from "@portvakt/oauth";
import type { Clock } from "@portvakt/oauth";

/** Nonces that this application wants in DPoP proofs (RFC 9449 section 9). */
export interface DpopNonces {
  issue(): Promise<string>;
  /** Whether a proof's nonce was issued here, or at another replica, within the last five minutes. */
  accepts(nonce: string | undefined): Promise<boolean>;
}

const livesSeconds = 300;
/** Replicas' clocks may differ. */
const toleranceSeconds = 10;
const leastSecretLength = 32;

/**
 * Makes nonces that nobody has to remember: the time, and a MAC over it (HMAC with SHA-256) by a key made of `secret`, which
 * all replicas share. *Throws*: TypeError for a secret of less than 32 characters.
 */
export function createNonces(secret: string, now: Clock): DpopNonces {
  if (secret.length < leastSecretLength) {
    throw new TypeError(`the secret of DPoP nonces needs ${leastSecretLength} characters at least`);
  }
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
  const key = crypto.subtle.importKey("raw", bytes(secret), algorithm, false, ["sign"]);
  const made = async (time: string): Promise<string> => {
    const mac = await crypto.subtle.sign("HMAC", await key, bytes(`DPoP nonce ${time}`));
    return `${time}.${base64url.encode(new Uint8Array(mac))}`;
  };
  return {
    issue: () => made(String(Math.floor(now()))),
    async accepts(nonce = "") {
      const [, time] = /^(\d{1,12})\.[\w-]{43}$/.exec(nonce) ?? [];
      if (time === undefined || !equalConstantTime(nonce, await made(time))) return false;
      const age = now() - Number(time);
      return age >= -toleranceSeconds && age < livesSeconds;
    },
  };
}
