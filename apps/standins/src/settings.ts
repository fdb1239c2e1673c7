import { defineSettings, setting } from "@portvakt/runtime/config";
import { commonSettings } from "@portvakt/runtime/process";

/** The settings of the stand-ins. Each provider has a listener of its own, so that each has its real paths at the root. */
export const settings = defineSettings({
  ...commonSettings("standins"),
  idportenAddress: setting.address({
    env: "PORTVAKT_STANDINS_IDPORTEN_ADDRESS",
    default: "127.0.0.1:7001",
    doc: "Where the double of ID-porten listens.",
  }),
  idportenPublicUrl: setting.url({
    env: "PORTVAKT_STANDINS_IDPORTEN_PUBLIC_URL",
    optional: true,
    doc: "The issuer of the double of ID-porten, as browsers reach it; absent: http://localhost with the listener's port.",
  }),
  entraAddress: setting.address({
    env: "PORTVAKT_STANDINS_ENTRA_ADDRESS",
    default: "127.0.0.1:7002",
    doc: "Where the double of Entra ID listens.",
  }),
  entraPublicUrl: setting.url({
    env: "PORTVAKT_STANDINS_ENTRA_PUBLIC_URL",
    optional: true,
    doc: "Where browsers reach the double of Entra ID; issuers are this, the tenant's id and /v2.0.",
  }),
  maskinportenAddress: setting.address({
    env: "PORTVAKT_STANDINS_MASKINPORTEN_ADDRESS",
    default: "127.0.0.1:7003",
    doc: "Where the double of Maskinporten listens.",
  }),
  maskinportenPublicUrl: setting.url({
    env: "PORTVAKT_STANDINS_MASKINPORTEN_PUBLIC_URL",
    optional: true,
    doc: "Where clients reach the double of Maskinporten; its issuer is this with a slash at the end.",
  }),
  openidAddress: setting.address({
    env: "PORTVAKT_STANDINS_OPENID_ADDRESS",
    default: "127.0.0.1:0",
    doc: "Where the plain OpenID provider listens, for applications of other organisations; port 0 takes a free one and logs it.",
  }),
  openidPublicUrl: setting.url({
    env: "PORTVAKT_STANDINS_OPENID_PUBLIC_URL",
    optional: true,
    doc: "The issuer of the plain OpenID provider; any path below it is an issuer as well.",
  }),
  controlAddress: setting.address({
    env: "PORTVAKT_STANDINS_CONTROL_ADDRESS",
    default: "127.0.0.1:7005",
    doc: "Where the control API listens: registrations, faults, recorded requests, tokens for tests.",
  }),
  backHosts: setting.list({
    env: "PORTVAKT_STANDINS_BACK_HOSTS",
    default: "",
    doc: "Host names by which containers reach the stand-ins (host.docker.internal, say). Metadata that is asked for under one of them names it in the endpoints that clients call; the issuer stays.",
  }),
  registrations: setting.text({
    env: "PORTVAKT_STANDINS_REGISTRATIONS",
    optional: true,
    doc: "Path of a JSON file with the clients of every provider; absent: none, until PUT /registrations.",
  }),
  personas: setting.text({
    env: "PORTVAKT_STANDINS_PERSONAS",
    optional: true,
    doc: "Path of a YAML file with the people who can sign in; absent: the built-in ones.",
  }),
  keysFolder: setting.text({
    env: "PORTVAKT_STANDINS_KEYS_FOLDER",
    optional: true,
    doc: "Folder in which the signing keys are kept, so that tokens stay good over a restart; absent: new keys at each start.",
  }),
  nodeEnv: setting.text({
    env: "NODE_ENV",
    default: "development",
    doc: "The stand-ins refuse to start where this is production: whoever reaches them can be anybody.",
    check: (value) => (value === "production" ? "is production, where stand-ins must not run" : undefined),
  }),
});
