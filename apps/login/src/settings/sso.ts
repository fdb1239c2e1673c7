import { setting } from "@portvakt/runtime/config";
import { isLoopback } from "../request/ingress.ts";
import { named } from "./names.ts";

/** Single sign-on over the applications of one domain: one server that signs in, and a proxy before each application. */
export const ssoSettings = {
  ssoEnabled: setting.flag({
    env: named("SSO_ENABLED"),
    default: false,
    doc: "Whether this proxy is part of a single sign-on: sessions are shared by all proxies of a domain, and one of them signs in.",
  }),
  ssoMode: setting.choice({
    env: named("SSO_MODE"),
    values: ["server", "proxy"],
    default: "server",
    doc: "server signs users in and out for the domain and has no application; proxy stands before an application and leaves signing in to the server.",
  }),
  ssoDomain: setting.text({
    env: named("SSO_DOMAIN"),
    optional: true,
    doc: "The domain that the session's cookie is for, such as example.no; the server sends users back only to its hosts.",
    check: (value) => (isDomain(value) ? undefined : "is not a domain such as example.no"),
  }),
  ssoSessionCookieName: setting.text({
    env: named("SSO_SESSION_COOKIE_NAME"),
    optional: true,
    doc: "Name of the session's cookie, the same at the server and all proxies. By https it gets __Secure- in front.",
    check: (value) =>
      /^(?!__)[\w.-]{1,64}$/u.test(value)
        ? undefined
        : "is not fit for a cookie's name, or begins with a prefix that browsers know",
  }),
  ssoServerUrl: setting.url({
    env: named("SSO_SERVER_URL"),
    optional: true,
    doc: "Where browsers and the proxy reach the server, such as https://login.example.no.",
  }),
  ssoServerDefaultRedirectUrl: setting.url({
    env: named("SSO_SERVER_DEFAULT_REDIRECT_URL"),
    optional: true,
    doc: "Where the server sends users who asked for no page, or for one outside the domain.",
  }),
} as const;

/** A name of at least two labels, or a name of this machine: a cookie for a whole top-level domain is refused by browsers. */
function isDomain(text: string): boolean {
  if (!/^[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9][a-z0-9-]{0,62})*$/u.test(text)) return false;
  return (text.includes(".") && !/(^|\.)\d+$/u.test(text)) || isLoopback(text);
}
