import type { Verb } from "../verb.ts";

/** The verb that teaches a shell to complete the others. */
export const completionVerbs: readonly Verb[] = [
  {
    name: "completion",
    summary: "completion for a shell: verbs, options, names of applications",
    usage: "portvakt completion (bash | zsh | fish)",
    example: 'eval "$(portvakt completion bash)"',
    words: { least: 1, most: 1, wanted: "a shell: bash, zsh or fish" },
    completes: ["bash", "zsh", "fish"],
    options: {},
    notes: [
      "bash: put the example's line into ~/.bashrc. zsh: the same with zsh, into ~/.zshrc, after compinit.",
      "fish: portvakt completion fish > ~/.config/fish/completions/portvakt.fish",
    ],
    run: async (args, around) => (await import("./run.ts")).runCompletion(args, around),
  },
];
