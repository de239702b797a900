/** Adds a base in a process of its own, which a test kills: arguments are the place, the folder of bases and the hub. */
import { addBase } from "../tuning/recipe/add-base.ts";

const [position, bases, hub] = process.argv.slice(2) as [string, string, string];
await addBase(position, bases, {
  kernels: "wasm",
  hub,
  onProgress: ({ done }) => process.stdout.write(`${done}\n`),
});
