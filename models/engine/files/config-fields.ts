/**
 * Fields of a published config.json, with bounds, and its refusals. model-config.ts reads decoders by them, models/engine/encoders/
 * encoders.
 */
import { parseStrictJson } from "@openledger/foundation/exact-json";
import { z } from "zod";
import { modelError } from "../../model-errors.ts";
import { foreignKey, type KnownKeys } from "./known-keys.ts";

/** A count of 1 to `max`. The limits are bounds on a stranger's file, well above those of published models. */
export const size = (max: number) => z.number().int().min(1).max(max);
export const WIDTH = size(65_536);
export const LAYERS = size(512);
export const HEADS = size(1_024);
/** Size of a vocabulary: token ids are stored as 32-bit floats. */
export const VOCABULARY = size(2 ** 23);
export const POSITIONS = size(2 ** 20);
export const EPSILON = z.number().min(1e-12).max(1e-2);

/** @throws RollupError MOD_FILE_INVALID for a file that is no JSON */
export function readConfig(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw modelError("MOD_FILE_INVALID", "config.json is no JSON", {
      data: { reason: "config-invalid", field: "" },
      cause,
    });
  }
}

/**
 * A config by a schema; a key that the schema has not and that could change the arithmetic is refused.
 * @throws RollupError MOD_FILE_INVALID, MOD_CONFIG_UNSUPPORTED
 */
export function parseClosed<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  config: unknown,
  keys: KnownKeys,
): z.output<z.ZodObject<Shape>> {
  const foreign = foreignKey(config as object, Object.keys(schema.shape), keys);
  if (foreign?.isKnown === true) throw unsupported(foreign.key, foreign.value);
  if (foreign !== null) throw unknownKey(foreign.key, foreign.value);
  const parsed = schema.safeParse(config);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const field = issue.path.join(".");
  throw modelError("MOD_FILE_INVALID", `config.json: ${field}: ${issue.message}`, {
    data: { reason: "config-invalid", field },
  });
}

/** The kernels go by sixteen. Every published model of these families has such sizes. @throws RollupError MOD_CONFIG_UNSUPPORTED */
export function requireSixteens(sizes: Readonly<Record<string, number>>): void {
  for (const [field, value] of Object.entries(sizes)) if (value % 16 !== 0) throw unsupported(field, value);
}

const unknownKey = (field: string, value: unknown) =>
  modelError(
    "MOD_CONFIG_UNSUPPORTED",
    `config.json: ${field} = ${JSON.stringify(value).slice(0, 100)} is not known here: take it out if it does not change the arithmetic`,
    { data: { field, value } },
  );

export function unsupported(field: string, value: unknown) {
  return modelError(
    "MOD_CONFIG_UNSUPPORTED",
    `models with ${field} = ${JSON.stringify(value)} are not computed here`,
    {
      data: { field, value },
    },
  );
}
