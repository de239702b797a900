/**
 * Part of JSON Schema to which answers are held; openai-requests.ts reads a request's response_format by it. A keyword
 * that would narrow an answer and is not known is refused by its name.
 */
import type { JsonMember, JsonShape } from "../../engine/batches/json-text.ts";

const MAX_DEPTH = 16;
const MAX_PARTS = 512;
const MAX_TEXT = 2 ** 16;
const MAX_ITEMS = 1_024;
/** Integers have at most 15 digits: bounds beyond are none. */
const MAX_INTEGER = 1e15 - 1;
const BOUNDS = ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"] as const;
/** Integers between two bounds: each is a text that may follow. */
const MAX_BETWEEN = 1_024;
const NOTES = new Set(
  "$schema $id title description default examples $comment $defs definitions deprecated readOnly writeOnly".split(
    " ",
  ),
);
const NARROWING = ["anyOf", "oneOf", "allOf", "enum", "const"] as const;
const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  object: ["properties", "required", "additionalProperties"],
  array: ["items", "minItems", "maxItems"],
  integer: BOUNDS,
};
const ANY: JsonShape = { kind: "any" };
/** First character of a value, by its shape: two shapes with the same one are not told apart. */
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
  /** References that are being followed. */
  const followed: string[] = [];
  const shape = shapeOf(schema, "", 1);
  if (shape.kind !== "object" && shape.kind !== "record")
    throw refuse("type", "the outermost value is an object");
  return shape;

  function shapeOf(part: unknown, path: string, depth: number): JsonShape {
    if (++parts > MAX_PARTS) throw refuse(path, `it has more than ${MAX_PARTS} parts`);
    if (depth > MAX_DEPTH) throw refuse(path, `it is deeper than ${MAX_DEPTH}`);
    if (part === true) return ANY;
    if (!isObject(part)) throw refuse(path, "it is no schema");
    if ("$ref" in part) return referred(part, path, depth);
    const types = [part.type ?? []].flat() as unknown[];
    for (const type of types)
      if (!TYPES.includes(type as string)) throw refuse(within(path, "type"), "it is no type");
    requireKnown(part, types as string[], path);
    const [narrowing, ...others] = NARROWING.filter((keyword) => keyword in part);
    if (others.length > 0) throw refuse(path, `${narrowing} and ${others[0]} are not served together`);
    // Alternatives begin differently, so a value fits one of them at most.
    if (narrowing === "anyOf" || narrowing === "oneOf")
      return anyOf(part[narrowing], part.type, within(path, narrowing), depth);
    if (narrowing === "allOf") return onlyOf(part, within(path, "allOf"), depth);
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
      const [min, max] = [part.minItems ?? 0, part.maxItems ?? MAX_ITEMS];
      for (const [name, count] of [
        ["minItems", min],
        ["maxItems", max],
      ] as const)
        if (!Number.isInteger(count) || (count as number) < 0 || (count as number) > MAX_ITEMS)
          throw refuse(within(path, name), `it is no number up to ${MAX_ITEMS}`);
      if (min > max) throw refuse(within(path, "minItems"), "it is above maxItems");
      const items = shapeOf(part.items ?? true, within(path, "items"), depth + 1);
      return { kind: "array", items, min: min as number, max: max as number };
    }
    if (type === "object") return objectOf(part, path, depth);
    if (type === "integer") return integerOf(part, path);
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

  function integerOf(part: Schema, path: string): JsonShape {
    let [min, max] = [-MAX_INTEGER, MAX_INTEGER];
    for (const keyword of BOUNDS) {
      const bound = part[keyword];
      if (bound === undefined) continue;
      if (typeof bound !== "number") throw refuse(within(path, keyword), "it is no number");
      const isExclusive = keyword.startsWith("exclusive");
      if (keyword.endsWith("inimum"))
        min = Math.max(min, isExclusive ? Math.floor(bound) + 1 : Math.ceil(bound));
      else max = Math.min(max, isExclusive ? Math.ceil(bound) - 1 : Math.floor(bound));
    }
    if (min === -MAX_INTEGER && max === MAX_INTEGER) return { kind: "integer" };
    const named = BOUNDS.find((keyword) => part[keyword] !== undefined)!;
    if (max < min) throw refuse(within(path, named), "no integer is between the bounds");
    if (max - min >= MAX_BETWEEN)
      throw refuse(
        within(path, named),
        `bounds are served with at most ${MAX_BETWEEN} integers between them`,
      );
    const texts = Array.from({ length: max - min + 1 }, (_, i) => counted(String(min + i), path));
    return { kind: "texts", texts };
  }

  /** A part of the same schema, by its place: `#/$defs/NAME`. */
  function referred(part: Schema, path: string, depth: number): JsonShape {
    const position = within(path, "$ref");
    const beside = Object.keys(part).find((keyword) => keyword !== "$ref" && !NOTES.has(keyword));
    if (beside !== undefined) throw refuse(within(path, beside.slice(0, 64)), "it is not served beside $ref");
    const { $ref: reference } = part;
    if (typeof reference !== "string" || !/^#\/./.test(reference))
      throw refuse(position, "references are served within the schema: #/$defs/NAME");
    if (followed.includes(reference)) throw refuse(position, "it refers to itself");
    followed.push(reference);
    const shape = shapeOf(partAt(reference, position), path, depth);
    followed.pop();
    return shape;
  }

  function partAt(reference: string, position: string): unknown {
    let found: unknown = schema;
    for (const name of reference.slice(2).split("/")) {
      const key = name.replaceAll("~1", "/").replaceAll("~0", "~");
      if (!isObject(found) || !Object.hasOwn(found, key)) throw refuse(position, "it refers to nothing");
      found = found[key];
    }
    return found;
  }

  /** Shape of a reference with a description, as some tools write it. */
  function onlyOf({ allOf: all, type }: Schema, path: string, depth: number): JsonShape {
    if (!Array.isArray(all) || all.length !== 1 || type !== undefined)
      throw refuse(path, "it is served with one entry, and no type beside it");
    return shapeOf(all[0], `${path}.0`, depth + 1);
  }

  function anyOf(among: unknown, type: unknown, path: string, depth: number): JsonShape {
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
    // Bounds of integers are none of other numbers.
    const ofType = (type: string) => (type === "integer" && types.includes("number") ? [] : KEYWORDS[type]);
    const known = new Set(["type", ...NARROWING, ...types.flatMap((type) => ofType(type) ?? [])]);
    for (const keyword of Object.keys(part))
      if (!known.has(keyword) && !NOTES.has(keyword))
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
