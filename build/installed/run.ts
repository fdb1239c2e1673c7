import { use } from "./use-sdk.ts";

console.log(await use());
