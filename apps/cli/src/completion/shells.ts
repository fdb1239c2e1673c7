import type { Option, Verb } from "../verb.ts";

type Verbs = readonly Verb[];

/** Options whose value is a file or a folder. */
const takesFile = (option: Option): boolean => option.value === "<file>" || option.value === "<folder>";
/** Options whose value is an application. */
const takesApplication = (option: Option): boolean => option.value === "<app>";

/** Every spelling of a verb's options that a test picks, `--help` included where all are wanted. */
function spellings(verb: Verb, wanted: (option: Option) => boolean = () => true): string[] {
  return Object.entries(verb.options).flatMap(([name, option]) =>
    wanted(option) ? [`--${name}`, ...(option.short === undefined ? [] : [`-${option.short}`])] : [],
  );
}

/** For bash, from version 4 on. `compgen -W` expands what it is given, so it is given nothing that is not written here. */
export function bash(verbs: Verbs): string {
  const cases = verbs.map((verb) => {
    const files = spellings(verb, takesFile);
    const applications = spellings(verb, takesApplication);
    return [
      `    ${verb.name})`,
      `      options="${spellings(verb).join(" ")} --help"`,
      ...(files.length === 0 ? [] : [`      files=" ${files.join(" ")} "`]),
      ...(applications.length === 0 ? [] : [`      applications=" ${applications.join(" ")} "`]),
      ...(verb.completes === "applications" ? ['      wanted="applications"'] : []),
      `      words="${Array.isArray(verb.completes) ? verb.completes.join(" ") : ""}" ;;`,
    ].join("\n");
  });
  return `# completion of portvakt for bash
_portvakt_applications() {
  local name
  while IFS= read -r name; do
    [[ $name == "$1"* ]] && COMPREPLY+=("$name")
  done < <(portvakt completion applications 2>/dev/null)
}
_portvakt() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local options="" files="" applications="" words="" wanted=""
  COMPREPLY=()
  if (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${verbs.map(({ name }) => name).join(" ")} --help" -- "$cur"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
  esac
  if [[ $files == *" $prev "* ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$cur"))
  elif [[ $applications == *" $prev "* ]]; then
    _portvakt_applications "$cur"
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $wanted ]]; then
    _portvakt_applications "$cur"
  else
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -F _portvakt portvakt
`;
}

/** For zsh, with its own completion system. */
export function zsh(verbs: Verbs): string {
  const quoted = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, "\\$&");
  const described = verbs.map(({ name, summary }) => `    '${name}:${quoted(summary)}'`);
  const cases = verbs.map((verb) => {
    const options = Object.entries(verb.options).flatMap(([name, option]) => {
      const many = option.multiple === true ? "*" : "";
      const action = takesFile(option) ? "_files" : takesApplication(option) ? "_portvakt_applications" : " ";
      const value = option.value === undefined ? "" : `:${quoted(option.value)}:${action}`;
      const spelt = [`--${name}`, ...(option.short === undefined ? [] : [`-${option.short}`])];
      return spelt.map((spelling) => ` '${many}${spelling}[${quoted(option.summary)}]${value}'`);
    });
    const more =
      verb.completes === undefined
        ? ""
        : verb.completes === "applications"
          ? " '*:application:_portvakt_applications'"
          : ` '*:word:(${verb.completes.join(" ")})'`;
    return `    ${verb.name}) _arguments${options.join("")} '--help[this text]'${more} ;;`;
  });
  return `#compdef portvakt
# completion of portvakt for zsh
_portvakt_applications() {
  local -a names
  names=(\${(f)"$(portvakt completion applications 2>/dev/null)"})
  compadd -a names
}
_portvakt() {
  local -a verbs
  verbs=(
${described.join("\n")}
  )
  if (( CURRENT == 2 )); then
    _describe verb verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
${cases.join("\n")}
  esac
}
compdef _portvakt portvakt
`;
}

/** For fish. */
export function fish(verbs: Verbs): string {
  const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  const lines = verbs.flatMap((verb) => {
    const inside = `-n ${quoted(`__fish_seen_subcommand_from ${verb.name}`)}`;
    const options = Object.entries(verb.options).map(([name, option]) => {
      const short = option.short === undefined ? "" : ` -s ${option.short}`;
      const value = option.value === undefined ? "" : takesFile(option) ? " -r -F" : " -x";
      const named = takesApplication(option) ? " -a '(portvakt completion applications 2>/dev/null)'" : "";
      return `complete -c portvakt ${inside} -l ${name}${short}${value}${named} -d ${quoted(option.summary)}`;
    });
    const list =
      verb.completes === "applications"
        ? "(portvakt completion applications 2>/dev/null)"
        : verb.completes?.join(" ");
    return [
      `complete -c portvakt -n __fish_use_subcommand -a ${verb.name} -d ${quoted(verb.summary)}`,
      ...options,
      ...(list === undefined ? [] : [`complete -c portvakt ${inside} -a ${quoted(list)}`]),
    ];
  });
  return `# completion of portvakt for fish\ncomplete -c portvakt -f\n${lines.join("\n")}\n`;
}
