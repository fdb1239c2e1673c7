import type { Citizen, Employee, Personas } from "@portvakt/standins";
import { CommandError, exitCodes } from "../failure.ts";
import type { DevState } from "../running/state.ts";
import { controlApi } from "../running/control.ts";

/** Somebody who can sign in to the stand-ins. */
export type Person =
  | { readonly kind: "citizen"; readonly id: string; readonly name: string; readonly citizen: Citizen }
  | {
      readonly kind: "employee";
      readonly id: string;
      readonly name: string;
      readonly groups: readonly string[];
    };

/** The persona with this id: of the running platform, else of those that come with it. *Throws*: CommandError. */
export async function personNamed(id: string, running: DevState | undefined): Promise<Person> {
  // the stand-ins are much to load, and only those who name somebody need them
  const { builtinPersonas, groupsOf } = await import("@portvakt/standins");
  const personas = running === undefined ? builtinPersonas() : await controlApi(running).personas();
  const citizen = personas.citizens.find((one) => one.id === id);
  if (citizen !== undefined) return { kind: "citizen", id, name: citizen.name, citizen };
  const employee = personas.employees.find((one) => one.id === id);
  if (employee !== undefined)
    return { kind: "employee", id, name: employee.name, groups: groupsOf(employee) };
  throw new CommandError(`there is no persona ${id}`, {
    hints: [hintOf(personas)],
    exitCode: exitCodes.usage,
  });
}

function hintOf({ citizens, employees }: Personas): string {
  const names = (people: readonly (Citizen | Employee)[]): string => people.map(({ id }) => id).join(", ");
  return `citizens are ${names(citizens)}; employees are ${names(employees)}`;
}
