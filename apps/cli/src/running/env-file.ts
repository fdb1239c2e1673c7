import { parseEnv } from "node:util";

/** What Kubernetes takes for the name of a variable. */
const nameForm = /^[-._A-Za-z][-._A-Za-z0-9]*$/;
const quotes = ["'", "`", '"'] as const;

/** Why no process can have this variable, or undefined. */
export function impossible(name: string, value: string): string | undefined {
  if (!nameForm.test(name)) return `${JSON.stringify(name)} is no name for a variable`;
  return value.includes("\0") ? `the value of ${name} holds a NUL, which no variable can` : undefined;
}

/** Why a file cannot hold this variable, or undefined. */
export function unwritable(name: string, value: string): string | undefined {
  const why = impossible(name, value);
  if (why !== undefined || lineOf(name, value) !== undefined) return why;
  return `no file of variables can say the value of ${name}: it holds a carriage return, or all three quotes`;
}

/** Variables as a file for `node --env-file` and its like. *Throws*: Error on what such a file cannot hold. */
export function envFile(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => {
      const why = unwritable(name, value);
      if (why !== undefined) throw new Error(why);
      return lineOf(name, value);
    })
    .join("");
}

/** In the first quotes in which the value is read as it is: a line that says more than its own variable is none. */
function lineOf(name: string, value: string): string | undefined {
  return quotes
    .map((quote) => `${name}=${quote}${value}${quote}\n`)
    .find((line) => {
      const { [name]: read, ...others } = parseEnv(line);
      return read === value && Object.keys(others).length === 0;
    });
}
