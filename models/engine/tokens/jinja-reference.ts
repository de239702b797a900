/**
 * An interpreter of Jinja that is bounded, and that renders values as the reference does (Python's Jinja, as transformers sets it).
 * @huggingface/jinja parses and computes; what it prints and compares in JavaScript's way is corrected here. chat-template.ts renders
 * chats by it.
 */
import * as library from "@huggingface/jinja";

interface Statement {
  readonly type: string;
}

/** A value of a running template. */
interface Value {
  readonly type: string;
  readonly value: unknown;
  toString(): string;
  __bool__(): { readonly value: boolean };
}

interface Environment {
  readonly tests: ReadonlyMap<string, (value: Value, argument?: Value) => boolean>;
  set(name: string, value: unknown): Value;
}

/** The part of the library that is used here. Its own declarations import without extensions, so TypeScript finds no types in them. */
interface Jinja {
  readonly Environment: new () => Environment;
  readonly Interpreter: new (
    environment: Environment,
  ) => {
    run(program: Statement): Value;
    evaluate(statement: Statement | undefined, environment: Environment): Value;
  };
  parse(tokens: unknown): Statement;
  tokenize(source: string, options: { trim_blocks: boolean; lstrip_blocks: boolean }): unknown;
}
const jinja = library as unknown as Jinja;

/** The fields of a node that are read here. */
interface Node extends Statement {
  readonly left?: Statement;
  readonly right?: Statement;
  readonly operator?: { readonly value: string };
  readonly operand?: Statement;
  readonly filter?: {
    readonly value?: unknown;
    readonly callee?: { readonly value?: unknown };
    readonly args?: readonly Statement[];
  };
}

/** Bounds of one rendering. */
export interface RenderLimits {
  readonly maxSteps: number;
  /** Characters of a text, and entries of a list, that the template makes. */
  readonly maxLength: number;
}

/** A rendering that takes more than its limits: no chat of this size needs it. */
export class RenderLimitReached extends Error {}

/** Refusal of the template itself, by `raise_exception`. */
export class TemplateRefusal extends Error {}

const BLOCKS = ["body", "alternate", "defaultBlock"] as const;
const STATEMENTS: readonly string[] = [
  "Program",
  "Set",
  "If",
  "For",
  "Macro",
  "CallStatement",
  "FilterStatement",
  "Break",
  "Continue",
  "Comment",
];

/** A parsed template. */
export interface ParsedTemplate {
  readonly program: Statement;
  /** Expressions whose value is written into the text. */
  readonly written: ReadonlySet<Statement>;
}

/** Parses a template as transformers does. @throws Error of the parser, RangeError for one that is nested too deeply */
export function parseTemplate(source: string): ParsedTemplate {
  const program = jinja.parse(jinja.tokenize(source, { trim_blocks: true, lstrip_blocks: true }));
  const written = new Set<Statement>();
  const visit = (node: Statement): void => {
    for (const name of BLOCKS) {
      const inner = (node as unknown as Record<string, unknown>)[name];
      if (!Array.isArray(inner)) continue;
      for (const one of inner as Statement[])
        if (STATEMENTS.includes(one.type)) visit(one);
        else written.add(one);
    }
  };
  visit(program);
  return { program, written };
}

/** Renders a parsed template. @throws RenderLimitReached, TemplateRefusal, and Error as the library has them */
export function renderTemplate(
  template: ParsedTemplate,
  variables: Readonly<Record<string, unknown>>,
  limits: RenderLimits,
): string {
  const environment = new jinja.Environment();
  const constants = [true, false].map((value) => environment.set(String(value), value)) as [Value, Value];
  const input = {
    True: true,
    False: false,
    none: null,
    None: null,
    raise_exception: (message: unknown) => {
      throw new TemplateRefusal(String(message));
    },
    range: (...bounds: unknown[]) => boundedRange(bounds, limits.maxLength),
    ...variables,
  };
  for (const [name, value] of Object.entries(input)) environment.set(name, value);
  return textOf(new ReferenceInterpreter(environment, template, constants, limits).run(template.program));
}

class ReferenceInterpreter extends jinja.Interpreter {
  readonly #written: ReadonlySet<Statement>;
  readonly #constants: readonly [Value, Value];
  readonly #limits: RenderLimits;
  #stepCount = 0;

  constructor(
    environment: Environment,
    { written }: ParsedTemplate,
    constants: readonly [Value, Value],
    limits: RenderLimits,
  ) {
    super(environment);
    this.#written = written;
    this.#constants = constants;
    this.#limits = limits;
  }

  override evaluate(statement: Statement | undefined, environment: Environment): Value {
    if (++this.#stepCount > this.#limits.maxSteps)
      throw new RenderLimitReached(`it takes more than ${this.#limits.maxSteps} steps`);
    const value =
      statement === undefined
        ? super.evaluate(statement, environment)
        : this.#computed(statement, environment);
    const length = lengthOf(value);
    if (length > this.#limits.maxLength)
      throw new RenderLimitReached(`it makes a text or a list of ${length} entries`);
    // Attack: a text is counted again wherever it is read, so copies of a long one are few.
    this.#stepCount += Math.floor(length / CHARACTERS_PER_STEP);
    return statement !== undefined && this.#written.has(statement)
      ? this.#writtenForm(value, environment)
      : value;
  }

  #computed(statement: Statement, environment: Environment): Value {
    const { filter, left, operand, operator, right } = statement as Node;
    if (statement.type === "FilterExpression" && filter?.value === "string") {
      const value = this.evaluate(operand, environment);
      return this.#text(pythonText(value), environment);
    }
    const name = filter?.callee?.value;
    if (statement.type === "FilterExpression" && (name === "selectattr" || name === "rejectattr"))
      return this.#withAttribute(name === "selectattr", operand, filter!.args!, environment);
    if (statement.type !== "BinaryExpression" || !CORRECTED.includes(operator!.value))
      return super.evaluate(statement, environment);
    const [a, b] = [this.evaluate(left, environment), this.evaluate(right, environment)];
    switch (operator!.value) {
      case "==":
        return this.#truth(isSame(a, b));
      case "!=":
        return this.#truth(!isSame(a, b));
      case "~":
        return this.#text(pythonText(a) + pythonText(b), environment);
      default: {
        if (!isNumber(a) || !isNumber(b)) throw new TypeError(`no remainder of ${a.type} by ${b.type}`);
        const [x, y] = [Number(a.value), Number(b.value)];
        if (y === 0) throw new TypeError("no remainder by zero");
        return this.#literal("IntegerLiteral", x - y * Math.floor(x / y), environment);
      }
    }
  }

  /** Entries of a list by a test of an attribute. The library passes over a test of what an entry does not have, as "undefined". */
  #withAttribute(
    isSelected: boolean,
    operand: Statement | undefined,
    args: readonly Statement[],
    environment: Environment,
  ): Value {
    const list = this.evaluate(operand, environment);
    const [attribute, testName, argument] = args.map((one) => this.evaluate(one, environment));
    if (!isList(list) || attribute?.type !== "StringValue")
      throw new TypeError("an attribute is selected by its name, in a list");
    const test = testName === undefined ? isTruthy : environment.tests.get(textOf(testName));
    if (test === undefined) throw new TypeError(`there is no test ${textOf(testName!)}`);
    const entries = list.value as readonly Value[];
    this.#stepCount += entries.length;
    const List = list.constructor as new (entries: readonly Value[]) => Value;
    const absent = super.evaluate({ type: "Identifier", value: ABSENT } as Statement, environment);
    const attributeOf = (entry: Value) =>
      isMapping(entry) ? entriesIn(entry).get(textOf(attribute)) : undefined;
    return new List(entries.filter((entry) => test(attributeOf(entry) ?? absent, argument) === isSelected));
  }

  /** Text that the reference writes for a value; nothing for what is undefined. */
  #writtenForm(value: Value, environment: Environment): Value {
    return value.type === "StringValue" || value.type === "UndefinedValue"
      ? value
      : this.#text(pythonText(value), environment);
  }

  #truth(isTrue: boolean): Value {
    return this.#constants[isTrue ? 0 : 1];
  }

  #text(value: string, environment: Environment): Value {
    return this.#literal("StringLiteral", value, environment);
  }

  #literal(type: "StringLiteral" | "IntegerLiteral", value: unknown, environment: Environment): Value {
    return super.evaluate({ type, value } as Statement, environment);
  }
}

/** A name that no template can write: it has no value. */
const ABSENT = "";
/** Operators that the library computes by JavaScript's rules. */
const CORRECTED: readonly string[] = ["==", "!=", "~", "%"];
/** Characters that cost as much as a node of the template. */
const CHARACTERS_PER_STEP = 256;

const isNumber = ({ type }: Value) => ["IntegerValue", "FloatValue", "BooleanValue"].includes(type);
const isList = ({ type }: Value) => type === "ArrayValue";
const isMapping = ({ type }: Value) => type === "ObjectValue";
const isTruthy = (value: Value) => value.__bool__().value;
const entriesIn = (value: Value) => value.value as ReadonlyMap<string, Value>;
const entriesOf = (value: Value) => [...entriesIn(value)];
const textOf = (value: Value) => value.value as string;

function lengthOf(value: Value): number {
  if (value.type === "StringValue") return textOf(value).length;
  return isList(value) ? (value.value as readonly Value[]).length : 0;
}

/** Equality as Python has it: numbers with truths, lists and mappings by their entries. */
function isSame(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) return Number(a.value) === Number(b.value);
  if (a.type !== b.type) return false;
  if (isList(a)) {
    const [own, other] = [a.value, b.value] as readonly (readonly Value[])[];
    return own!.length === other!.length && own!.every((value, i) => isSame(value, other![i]!));
  }
  if (!isMapping(a)) return a.value === b.value;
  const other = b.value as ReadonlyMap<string, Value>;
  const entries = entriesOf(a);
  return (
    entries.length === other.size &&
    entries.every(([key, value]) => other.has(key) && isSame(value, other.get(key)!))
  );
}

/** Python's `str`. */
function pythonText(value: Value): string {
  switch (value.type) {
    case "StringValue":
      return textOf(value);
    case "NullValue":
      return "None";
    case "UndefinedValue":
      return "";
    case "BooleanValue":
      return value.value === true ? "True" : "False";
    case "ArrayValue":
      return `[${(value.value as readonly Value[]).map(pythonForm).join(", ")}]`;
    case "ObjectValue":
      return `{${entriesOf(value)
        .map(([key, inner]) => `${quoted(key)}: ${pythonForm(inner)}`)
        .join(", ")}}`;
    case "IntegerValue":
    case "FloatValue":
      return value.toString();
    default:
      throw new TypeError(`${value.type} has no text`);
  }
}

/** Python's `repr` of what a list or a mapping contains. */
const pythonForm = (value: Value) =>
  value.type === "StringValue" ? quoted(textOf(value)) : pythonText(value);

const ESCAPED: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text.replace(/[\\\n\r\t]/g, (character) => ESCAPED[character]!);
  return `${quote}${quote === "'" ? inner.replaceAll("'", "\\'") : inner}${quote}`;
}

function boundedRange(bounds: readonly unknown[], maxLength: number): number[] {
  const [first, second, step = 1] = bounds.map(Number);
  const [start, stop] = second === undefined ? [0, first!] : [first!, second];
  const count = Math.ceil((stop - start) / step);
  if (!Number.isFinite(count)) throw new TypeError("range() has no such bounds");
  if (count > maxLength) throw new RenderLimitReached(`range() has ${count} entries`);
  return Array.from({ length: Math.max(0, count) }, (_, i) => start + i * step);
}
