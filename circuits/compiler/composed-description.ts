/** composition.json beside a composed circuit: how the parts' witnesses make the whole's. */

import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { circuitError } from "../circuit-errors.ts";

export const COMPOSITION_FILE = "composition.json";

const count = z.number().int().nonnegative();
const descriptionSchema = z.object({
  plan: z.record(z.string(), z.union([z.string(), z.number()])),
  wireCount: count,
  publicCount: count,
  parts: z.array(
    z.object({
      wireCount: count,
      ports: z.array(z.string()),
      outputCount: count,
      wasmFile: z.string(),
      /** Of row-steps.ts. Absent where a wire follows from no row. */
      steps: z
        .object({
          file: z.string(),
          inputs: z.array(z.object({ name: z.string(), firstWire: count, count })),
        })
        .optional(),
    }),
  ),
  /** CopyLayout of compose-layout.ts. */
  copies: z.array(z.object({ part: count, ports: z.array(count), firstWire: count })),
});

type DeepReadonly<T> = { readonly [K in keyof T]: DeepReadonly<T[K]> };
export type ComposedDescription = DeepReadonly<z.infer<typeof descriptionSchema>>;

/** Whether a circuit's calculator (ProvingCircuit.wasmPath) is a composition's description, not circom's program. */
export const isComposition = (wasmPath: string): boolean => wasmPath.endsWith(`/${COMPOSITION_FILE}`);

/** @throws RollupError CIR_COMPOSITION_INVALID */
export async function readDescription(
  path: string,
): Promise<{ description: ComposedDescription; wasmPaths: string[]; stepsPaths: (string | null)[] }> {
  const parsed = descriptionSchema.safeParse(JSON.parse(await readFile(path, "utf8")));
  if (!parsed.success) {
    throw circuitError("CIR_COMPOSITION_INVALID", `${path}: ${z.prettifyError(parsed.error)}`, {
      data: { path },
    });
  }
  const description = parsed.data;
  const inFolder = (file: string) => join(dirname(path), file);
  return {
    description,
    wasmPaths: description.parts.map(({ wasmFile }) => inFolder(wasmFile)),
    stepsPaths: description.parts.map(({ steps }) => (steps === undefined ? null : inFolder(steps.file))),
  };
}
