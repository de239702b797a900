/**
 * Options of commands, each declared once in a table by its flags: from the table come the parser, the help, and the type of
 * what is parsed. Tables that several commands share are spread into theirs.
 */
import { type Command, Option } from "commander";

/** An option that is more than its description. */
interface OptionSpec<Value = unknown> {
  readonly about: string;
  /** Default value. */
  readonly fallback?: Value;
  /** @param before the option's values so far, or its fallback */
  readonly parse?: (text: string, before: never) => Value;
  /** The only values that there are. */
  readonly choices?: readonly string[];
  readonly isRequired?: true;
}

/** Options by their flags, "--from <leaf>": the description, or more. */
export type OptionTable = Readonly<Record<string, string | OptionSpec>>;

type Camel<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<Camel<Rest>>}`
  : Name;

/** `--no-pages` is `pages`, `--from-block <n>` is `fromBlock`. */
type NameOf<Flags extends string> = Flags extends `--no-${infer Name}`
  ? Camel<Name>
  : Flags extends `--${infer Name} ${string}`
    ? Camel<Name>
    : Flags extends `--${infer Name}`
      ? Camel<Name>
      : never;

type TextOf<Flags extends string> = Flags extends `${string}...>`
  ? string[]
  : Flags extends `${string}<${string}`
    ? string
    : boolean;

type ValueOf<Flags extends string, Spec> = Spec extends {
  readonly parse: (text: string, before: never) => infer Value;
}
  ? Value
  : Spec extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : TextOf<Flags>;

type IsAlwaysThere<Flags extends string, Spec> = Flags extends `--no-${string}`
  ? true
  : Spec extends { readonly fallback: unknown } | { readonly isRequired: true }
    ? true
    : false;

type Keyed<Table, Always extends boolean> = {
  [Flags in keyof Table & string as IsAlwaysThere<Flags, Table[Flags]> extends Always
    ? NameOf<Flags>
    : never]: ValueOf<Flags, Table[Flags]>;
};

/** Parsed options of a command line with this table. */
export type OptionsOf<Table> = Keyed<Table, true> & Partial<Keyed<Table, false>>;

/** A command that knows the type of its options. */
export interface TypedCommand<Options extends object> extends Command {
  /** Type for the compiler alone. */
  readonly parsed: Options;
}

export const defineOptions = <const Table extends OptionTable>(table: Table): Table => table;

/** Adds the options of a table to a command, which may have some. */
export function withOptions<Before extends object, const Table extends OptionTable>(
  command: TypedCommand<Before>,
  table: Table,
): TypedCommand<Before & OptionsOf<Table>>;
export function withOptions<const Table extends OptionTable>(
  command: Command,
  table: Table,
): TypedCommand<OptionsOf<Table>>;
export function withOptions(command: Command, table: OptionTable): Command {
  for (const [flags, entry] of Object.entries(table)) {
    const { about, choices, fallback, isRequired, parse }: OptionSpec =
      typeof entry === "string" ? { about: entry } : entry;
    const option = new Option(flags, about).makeOptionMandatory(isRequired === true);
    if (fallback !== undefined) option.default(fallback);
    if (choices !== undefined) option.choices(choices);
    if (parse !== undefined) option.argParser(parse as (text: string, before: unknown) => unknown);
    command.addOption(option);
  }
  return command;
}

/** The same options, which have to be given. */
export function required<const Table extends Readonly<Record<string, string>>>(
  table: Table,
): { readonly [Flags in keyof Table]: { readonly about: string; readonly isRequired: true } } {
  return mapped(table, (about) => ({ about, isRequired: true }));
}

/** Options with their defaults. */
export function withFallback<const Table extends Readonly<Record<string, string>>>(
  table: Table,
  fallback: string,
): { readonly [Flags in keyof Table]: { readonly about: string; readonly fallback: string } } {
  return mapped(table, (about) => ({ about, fallback }));
}

function mapped<Table extends Readonly<Record<string, string>>, Spec>(
  table: Table,
  specOf: (about: string) => Spec,
): { readonly [Flags in keyof Table]: Spec } {
  const entries = Object.entries(table).map(([flags, about]) => [flags, specOf(about)] as const);
  return Object.fromEntries(entries) as { [Flags in keyof Table]: Spec };
}

/** Collects the values of an option that may be given several times. */
export const collect = (text: string, before: readonly string[]): string[] => [...before, text];
