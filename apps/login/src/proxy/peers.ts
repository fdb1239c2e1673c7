import { BlockList, isIP } from "node:net";

/** Whether a peer's forwarding headers are believed. */
export type TrustedPeers = (address: string | undefined) => boolean;

/**
 * Reads the list of networks whose `Forwarded` and `X-Forwarded-*` headers are believed, such as `10.0.0.0/8`.
 * Throws: Error naming the entry that cannot be read.
 */
export function trustedPeers(networks: readonly string[]): TrustedPeers {
  if (networks.length === 0) return () => false;
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const family = isIP(address);
    const longest = family === 4 ? 32 : 128;
    const prefix = bits === undefined ? longest : Number(bits);
    if (family === 0 || !/^\d{1,3}$/.test(bits ?? "0") || prefix > longest)
      throw new Error(`"${network}" is not a network`);
    list.addSubnet(address, prefix, family === 4 ? "ipv4" : "ipv6");
  }
  return (address) => {
    if (address === undefined) return false;
    const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
    return list.check(plain, isIP(plain) === 6 ? "ipv6" : "ipv4");
  };
}
