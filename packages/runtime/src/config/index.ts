/**
 * Owns: from environment variables to frozen, typed settings that can print and document themselves.
 * Does not own: what a setting means, and process.env itself (only an app's main.ts touches that).
 * Request path: none; runs once, at start.
 * Spec: design.md, "Rooms" (runtime/config).
 */
export { formatAddress, setting, SettingProblem } from "./setting.ts";
export type { Address, Setting } from "./setting.ts";
export { defineSettings, readSettings, SettingsError } from "./read.ts";
export type { Environment, Problem, Schema, SettingsOf } from "./read.ts";
export { printSettings, settingsMarkdown } from "./print.ts";
