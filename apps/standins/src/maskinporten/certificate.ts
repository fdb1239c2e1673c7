import { X509Certificate } from "node:crypto";
import type { JWK } from "@portvakt/oauth";
import { maskinportenError } from "./errors.ts";

const maxCertificates = 5;

/**
 * Judges the chain of an enterprise certificate in the header of a grant (`x5c`, RFC 7515 section 4.1.6).
 * *Checks* that each certificate is valid now and issued by the next, the last by one of the `authorities` (PEM), and that the
 * first one is of the organisation `orgno`. *Does not check* revocation. *Throws* ProtocolError MP-120, MP-122 or MP-123.
 * Gives the key that the grant must be signed with.
 */
export function judgeCertificates(
  x5c: unknown,
  o: { readonly authorities: readonly string[]; readonly orgno: string; readonly now: number },
): JWK {
  const [leaf, ...others] = readChain(x5c);
  if (leaf === undefined) throw maskinportenError("MP-123");
  const roots = o.authorities.map((pem) => new X509Certificate(pem));
  const chain = [leaf, ...others];
  for (const [index, certificate] of chain.entries()) {
    if (Date.parse(certificate.validFrom) / 1000 > o.now || Date.parse(certificate.validTo) / 1000 < o.now)
      throw maskinportenError("MP-120", "a certificate is not valid now");
    const next = chain[index + 1];
    const issuers = next === undefined ? roots : [next];
    if (!issuers.some((issuer) => isIssuedBy(certificate, issuer)))
      throw maskinportenError("MP-120", "the chain does not lead to a certificate authority that is trusted");
  }
  if (organisationOf(leaf) !== o.orgno) throw maskinportenError("MP-122");
  return leaf.publicKey.export({ format: "jwk" });
}

function readChain(x5c: unknown): X509Certificate[] {
  if (!Array.isArray(x5c) || x5c.length === 0 || x5c.length > maxCertificates)
    throw maskinportenError("MP-123", "x5c must be an array of certificates");
  return x5c.map((one: unknown) => {
    try {
      // RFC 7515 section 4.1.6: base64, not base64url.
      if (typeof one !== "string" || !/^[A-Za-z0-9+/]+=*$/.test(one)) throw new TypeError("not base64");
      return new X509Certificate(Buffer.from(one, "base64"));
    } catch (cause) {
      throw maskinportenError("MP-123", "x5c holds what is no certificate", cause);
    }
  });
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

/** The number in `organizationIdentifier` (NTRNO-…), or in `serialNumber` as older certificates have it. */
function organisationOf({ subject }: X509Certificate): string | undefined {
  return /^(?:organizationIdentifier=NTRNO-|serialNumber=)(\d{9})$/m.exec(subject)?.[1];
}
