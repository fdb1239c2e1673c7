// The packages that others install, and what each takes into itself so that it stands alone.
//
// To add one: a row. `inline` names the workspaces whose source is compiled into it, because they are not published.

/** A package that is compiled, packed and checked by `npm run build`. */
export interface Published {
  /** The workspace's folder, from the root. */
  readonly folder: string;
  /** Folders of workspaces that are compiled into it. */
  readonly inline: readonly string[];
  /** Takes only the files that its entries lead to, and depends only on what those import. */
  readonly onlyUsed?: true;
}

export const published: readonly Published[] = [
  { folder: "packages/sdk", inline: ["packages/oauth"] },
  {
    folder: "packages/testkit",
    inline: ["apps/standins", "packages/issuer", "packages/oauth", "packages/policy", "packages/runtime"],
    onlyUsed: true,
  },
];
