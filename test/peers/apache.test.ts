// Apache's mod_auth_openidc, from Debian, guards a page and signs people in at the stand-ins.

import assert from "node:assert/strict";
import { access, chmod, mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startStandins, type Standins } from "@portvakt/standins";
import { freePort, startGuarded, type Guarded } from "../services/guarded.ts";
import { obtainPrograms, type Program } from "../services/programs.ts";
import { now } from "./starting.ts";
import { visitorWithoutScripts } from "./web.ts";

const apache: Program = {
  title: "Apache with mod_auth_openidc",
  names: ["apache2"],
  places: ["/usr/sbin/apache2"],
  aptPackage: "libapache2-mod-auth-openidc",
  advice: "install it (Debian: apt install libapache2-mod-auth-openidc)",
};
const modules = "/usr/lib/apache2/modules";
const secret = "secret-of-apache";

function configuration(o: {
  folder: string;
  port: number;
  issuer: string;
  clientId: string;
  claim: string;
}): string {
  const loaded = ["mpm_event", "authn_core", "authz_core", "authz_user", "headers", "dir", "auth_openidc"];
  return `
ServerRoot ${o.folder}
PidFile ${o.folder}/pid
DefaultRuntimeDir ${o.folder}
Listen 127.0.0.1:${o.port}
ServerName localhost:${o.port}
ErrorLog "|$/bin/cat 1>&2"
${loaded.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join("\n")}
User www-data
Group www-data
DocumentRoot ${o.folder}/pages
OIDCProviderMetadataURL ${o.issuer}/.well-known/openid-configuration
OIDCClientID ${o.clientId}
OIDCClientSecret ${secret}
OIDCRedirectURI http://localhost:${o.port}/callback
OIDCCryptoPassphrase a-passphrase-of-this-test
OIDCPKCEMethod S256
OIDCScope "openid profile"
OIDCRemoteUserClaim ${o.claim}
<Location />
  AuthType openid-connect
  Require valid-user
  Header set x-remote-user "expr=%{REMOTE_USER}"
</Location>
`;
}

describe("Apache's mod_auth_openidc", () => {
  let idp: Standins;
  let program: string;
  const running: Guarded[] = [];
  before(async () => {
    const found = await obtainPrograms([apache], console.log);
    program = found.get(apache) ?? "";
    await access(join(modules, "mod_auth_openidc.so")).catch((cause: unknown) => {
      throw new Error(`${apache.title} is missing: ${apache.advice}`, { cause });
    });
    idp = await startStandins({ now });
  });
  after(async () => {
    for (const server of running) await server.stop();
    await idp.close();
  });

  for (const [provider, claim, sees] of [
    ["openid", "preferred_username", "kari"],
    ["idporten", "pid", "17858430038"],
  ] as const)
    test(`signs in at ${provider}, and nobody sees the page before`, async () => {
      const folder = await mkdtemp(join(tmpdir(), "portvakt-apache-"));
      const port = await freePort();
      await mkdir(join(folder, "pages"));
      await writeFile(join(folder, "pages/index.html"), "the guarded page");
      await chmod(folder, 0o755);
      const client = {
        client_id: "apache",
        client_secret: secret,
        redirect_uris: [`http://localhost:${port}/callback`],
      };
      idp.register({ [provider]: { clients: [client] } });
      const settings = { folder, port, issuer: idp.issuers[provider], clientId: "apache", claim };
      await writeFile(join(folder, "apache.conf"), configuration(settings));
      const command = [program, "-DFOREGROUND", "-f", join(folder, "apache.conf")];
      running.push(
        await startGuarded({ command, folder, ready: /resuming normal operations/u, seconds: 20 }),
      );

      const visitor = visitorWithoutScripts();
      const page = await visitor.open(`http://localhost:${port}/index.html`);
      assert.doesNotMatch(page.text, /the guarded page/u);
      const shown = await visitor.press(page, "persona", "kari");
      assert.match(shown.text, /the guarded page/u);
      assert.equal(shown.headers.get("x-remote-user"), sees);
    });
});
