/** The part of JSON Schema that answers are held to. What would narrow an answer and is not known is refused by its name. */
import type { JsonMember, JsonShape } from "../../engine/batches/json-text.ts";

const MAX_DEPTH = 16;
const MAX_PARTS = 512;
const MAX_TEXT = 2 ** 16;
const MAX_ITEMS = 1_024;
/** Integers have at most 15 digits: bounds beyond are none. */
const MAX_INTEGER = 1e15 - 1;
const NO_BOUNDS: Readonly<Record<string, (bound: unknown) => boolean>> = {
  minimum: (bound) => typeof bound === "number" && bound <= -MAX_INTEGER,
  maximum: (bound) => typeof bound === "number" && bound >= MAX_INTEGER,
};
const NOTES = new Set(["$schema", "$id", "title", "description", "default", "examples", "$comment"]);
const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "minItems", "maxItems"],
};
const ANY: JsonShape = { kind: "any" };
/** Of a value by how it begins: two shapes with the same are not told apart. */
const BEGINNINGS: Readonly<Record<string, string>> = {
  object: "{",
  record: "{",
  array: "[",
  string: '"',
  number: "0",
  integer: "0",
};

type Refuse = (path: string, message: string) => Error;
type Schema = Readonly<Record<string, unknown>>;

/** @param refuse makes the error: a path within the schema, and what is wrong there. @throws what `refuse` makes */
export function jsonShapeOf(schema: unknown, refuse: Refuse): JsonShape {
  let [parts, characters] = [0, 0];
  const shape = shapeOf(schema, "", 1);
  if (shape.kind !== "object" && shape.kind !== "record")
    throw refuse("type", "the outermost value is an object");
  return shape;

  function shapeOf(part: unknown, path: string, depth: number): JsonShape {
    if (++parts > MAX_PARTS) throw refuse(path, `it has more than ${MAX_PARTS} parts`);
    if (depth > MAX_DEPTH) throw refuse(path, `it is deeper than ${MAX_DEPTH}`);
    if (part === true) return ANY;
    if (!isObject(part)) throw refuse(path, "it is no schema");
    const types = [part.type ?? []].flat() as unknown[];
    for (const type of types)
      if (!TYPES.includes(type as string)) throw refuse(within(path, "type"), "it is no type");
    requireKnown(part, types as string[], path);
    const [narrowing, ...others] = ["anyOf", "enum", "const"].filter((keyword) => keyword in part);
    if (others.length > 0) throw refuse(path, `${narrowing} and ${others[0]} are not served together`);
    if (narrowing === "anyOf") return anyOf(part, within(path, "anyOf"), depth);
    if (narrowing !== undefined) {
      const values = narrowing === "enum" ? part.enum : [part.const];
      return textsOf(values, types as string[], within(path, narrowing));
    }
    if (types.length === 0) return ANY;
    return choice(
      types.map((type) => ofType(type as string, part, path, depth)),
      path,
    );
  }

  function ofType(type: string, part: Schema, path: string, depth: number): JsonShape {
    if (type === "boolean") return { kind: "texts", texts: ["true", "false"] };
    if (type === "null") return { kind: "texts", texts: ["null"] };
    if (type === "array") {
      const [least, max] = [part.minItems ?? 0, part.maxItems ?? MAX_ITEMS];
      for (const [name, count] of [
        ["minItems", least],
        ["maxItems", max],
      ] as const)
        if (!Number.isInteger(count) || (count as number) < 0 || (count as number) > MAX_ITEMS)
          throw refuse(within(path, name), `it is no number up to ${MAX_ITEMS}`);
      if (least > max) throw refuse(within(path, "minItems"), "it is above maxItems");
      const items = shapeOf(part.items ?? true, within(path, "items"), depth + 1);
      return { kind: "array", items, least: least as number, max: max as number };
    }
    if (type === "object") return objectOf(part, path, depth);
    return { kind: type as "string" | "number" | "integer" };
  }

  /** Other members than those listed are never given: every such object fits, too. */
  function objectOf(part: Schema, path: string, depth: number): JsonShape {
    const { additionalProperties: other = true, properties = {}, required = [] } = part;
    if (!isObject(properties)) throw refuse(within(path, "properties"), "it is no object");
    if (!Array.isArray(required)) throw refuse(within(path, "required"), "it is no list");
    const names = Object.keys(properties);
    const unknown = required.find((name) => !names.includes(name as string));
    if (unknown !== undefined) throw refuse(within(path, "required"), "it has a name that properties lacks");
    const inner = other === false ? null : shapeOf(other, within(path, "additionalProperties"), depth + 1);
    if (names.length === 0 && inner !== null) return { kind: "record", values: inner };
    const members: JsonMember[] = names.map((name) => ({
      name: counted(name, path),
      isRequired: required.includes(name),
      value: shapeOf(properties[name], within(path, `properties.${name.slice(0, 64)}`), depth + 1),
    }));
    return { kind: "object", members };
  }

  function anyOf({ anyOf: among, type }: Schema, path: string, depth: number): JsonShape {
    if (!Array.isArray(among) || type !== undefined)
      throw refuse(path, "it is no list, or has a type beside it");
    return choice(
      among.map((one, i) => shapeOf(one, `${path}.${i}`, depth + 1)),
      path,
    );
  }

  function textsOf(values: unknown, types: readonly string[], path: string): JsonShape {
    if (!Array.isArray(values) || values.length === 0 || values.length > MAX_PARTS)
      throw refuse(path, `it is no list of up to ${MAX_PARTS} values`);
    for (const value of values) {
      const names = typeNamesOf(value);
      if (names.length === 0) throw refuse(path, "only texts, numbers, true, false and null are served");
      if (types.length > 0 && !names.some((name) => types.includes(name)))
        throw refuse(path, "a value is not of the type");
    }
    return { kind: "texts", texts: values.map((value) => counted(JSON.stringify(value), path)) };
  }

  function choice(among: readonly JsonShape[], path: string): JsonShape {
    if (among.length === 1) return among[0]!;
    const beginnings = among.flatMap(beginningsOf);
    if (among.length === 0 || new Set(beginnings).size < beginnings.length)
      throw refuse(
        path,
        "its alternatives have to begin differently: an object, a list, a text, a number, null",
      );
    return { kind: "choice", among };
  }

  function counted(text: string, path: string): string {
    characters += text.length;
    if (characters > MAX_TEXT) throw refuse(path, `its texts have more than ${MAX_TEXT} characters`);
    return text;
  }

  function requireKnown(part: Schema, types: readonly string[], path: string): void {
    const known = new Set([
      "type",
      "enum",
      "const",
      "anyOf",
      ...types.flatMap((type) => KEYWORDS[type] ?? []),
    ]);
    const isUnbounded = (keyword: string, value: unknown) =>
      types.includes("integer") && !types.includes("number") && NO_BOUNDS[keyword]?.(value) === true;
    for (const [keyword, value] of Object.entries(part))
      if (!known.has(keyword) && !NOTES.has(keyword) && !isUnbounded(keyword, value))
        throw refuse(within(path, keyword.slice(0, 64)), "this keyword is not served");
  }
}

const isObject = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);
/** Types that a value without parts has; none of others. */
function typeNamesOf(value: unknown): string[] {
  if (value === null) return ["null"];
  if (typeof value === "number") return Number.isInteger(value) ? ["integer", "number"] : ["number"];
  return typeof value === "string" || typeof value === "boolean" ? [typeof value] : [];
}
const within = (path: string, name: string) => (path === "" ? name : `${path}.${name}`);

function beginningsOf(shape: JsonShape): string[] {
  if (shape.kind === "any") return ["{", "[", '"', "0", "t", "f", "n"];
  if (shape.kind === "choice") return shape.among.flatMap(beginningsOf);
  if (shape.kind !== "texts") return [BEGINNINGS[shape.kind]!];
  return [...new Set(shape.texts.map(([first]) => (/[-\d]/.test(first!) ? "0" : first!)))];
}
