// The packages that others install, and what each takes into itself so that it stands alone.
//
// To add one: a row. `inline` names the workspaces whose source is compiled into it, because they are not published.

/** A package that is compiled, packed and checked by `npm run build`. */
export interface Published {
  /** The workspace's folder, from the root. */
  readonly folder: string;
  /** Folders of workspaces that are compiled into it. */
  readonly inline: readonly string[];
}

export const published: readonly Published[] = [{ folder: "packages/sdk", inline: ["packages/oauth"] }];
