// Proxies to stand in front of ours. Tests of forward-auth start them with the documented configuration; here they are only found.

import type { Program } from "./programs.ts";

export const nginx: Program = {
  title: "nginx",
  names: ["nginx"],
  places: ["/usr/sbin/nginx", "/opt/homebrew/bin/nginx", "/usr/local/sbin/nginx"],
  aptPackage: "nginx-light",
  advice:
    "install nginx (Debian: apt install nginx-light; macOS: brew install nginx), or set PORTVAKT_TEST_NGINX to its path",
};

export const caddy: Program = {
  title: "Caddy",
  names: ["caddy"],
  places: ["/usr/bin/caddy", "/opt/homebrew/bin/caddy"],
  aptPackage: "caddy",
  advice:
    "install Caddy (Debian: apt install caddy; macOS: brew install caddy), or set PORTVAKT_TEST_CADDY to its path",
};
