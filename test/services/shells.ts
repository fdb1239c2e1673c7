// The shells whose completion is tried.

import type { Program } from "./programs.ts";

const shell = (name: string): Program => ({
  title: name,
  names: [name],
  places: [],
  aptPackage: name,
  advice: `install it (Debian: apt install ${name}; macOS: brew install ${name})`,
});

export const zsh = shell("zsh");
export const fish = shell("fish");
