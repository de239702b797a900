/**
 * Checks a published tokenizer.json before @huggingface/tokenizers reads it, since the file comes from strangers.
 * `requireBounded` limits its sizes and patterns; `requireComputed` refuses settings that this library reads otherwise
 * than transformers does, or not at all. `frameOf` lists the tokens that the file puts around a text. tokenizer.ts
 * calls all three; spelled-vocabulary.ts and text-marks.ts read parts of the file.
 */

/** Maximum tokens, as a model's shape has it: ids are places in lists. */
const MAX_TOKENS = 2 ** 23;
/** Bounds on a stranger's file, above those of published tokenizers. */
const MAX_MERGES = 2 ** 22;
const MAX_ADDED = 2 ** 16;
/** Runs of blanks have up to 128 characters in published files. */
const MAX_NAME_LENGTH = 4_096;
/** Normalizers and other components, nested ones included. */
const MAX_COMPONENTS = 64;
const MAX_PATTERN_LENGTH = 4_096;
/** Parts of an alternative that may repeat without a bound; published patterns have up to two. */
const MAX_REPEATS = 4;

/**
 * Limits tokens, merges, components and patterns.
 * @throws TypeError for a size that no published tokenizer has, and for a pattern that could run for ever
 */
export function requireBounded(file: TokenizerFile): void {
  const { added_tokens: added = [], model } = file;
  const vocabulary = Array.isArray(model.vocab) ? model.vocab : Object.entries(model.vocab);
  if (vocabulary.length > MAX_TOKENS) throw new TypeError(`it has ${vocabulary.length} tokens`);
  if ((model.merges?.length ?? 0) > MAX_MERGES)
    throw new TypeError(`it has ${model.merges!.length} merges, at most ${MAX_MERGES} are read`);
  if (added.length > MAX_ADDED)
    throw new TypeError(`it has ${added.length} added tokens, at most ${MAX_ADDED} are read`);
  const isId = (id: unknown) => Number.isInteger(id) && (id as number) >= 0 && (id as number) < MAX_TOKENS;
  for (const [name, id] of vocabulary)
    if (
      typeof name !== "string" ||
      name.length > MAX_NAME_LENGTH ||
      !(Array.isArray(model.vocab) || isId(id))
    )
      throw new TypeError("a token of model.vocab has no name or no id");
  for (const { content, id } of added)
    if (typeof content !== "string" || content === "" || content.length > MAX_NAME_LENGTH || !isId(id))
      throw new TypeError("an added token has no content or no id");
  let left = MAX_COMPONENTS;
  const visit = (component: unknown) => {
    if (typeof component !== "object" || component === null) return;
    if (--left < 0) throw new TypeError(`it has more than ${MAX_COMPONENTS} components`);
    for (const inner of Object.values(component))
      if (Array.isArray(inner)) for (const one of inner) visit(one);
    const { Regex: pattern } = (component as Component).pattern ?? {};
    if (typeof pattern === "string") requirePattern(pattern);
  };
  for (const component of [file.normalizer, file.pre_tokenizer, file.decoder]) visit(component);
}

/** Behaviours of pre-tokenizers that @huggingface/tokenizers computes, by type; any other it ignores without a word. */
const COMPUTED_CUTS: Readonly<Record<string, (component: Component) => boolean>> = {
  Split: ({ behavior, invert }) => behavior === "Removed" || (behavior === "Isolated" && invert !== true),
  Punctuation: ({ behavior }) => behavior === "Contiguous",
  // @huggingface/tokenizers' \w is that of ASCII, and its lengths are those of UTF-16.
  Whitespace: () => false,
  FixedLength: () => false,
};

/**
 * Requires that @huggingface/tokenizers computes what transformers does: some settings they read differently, or one of
 * them not at all. Texts would become other tokens, in silence.
 *
 * @throws TypeError naming the setting
 */
export function requireComputed(file: TokenizerFile, config: TokenizerConfig): void {
  const refuse = (setting: string, why = "is not computed here") => {
    throw new TypeError(`${setting} ${why}`);
  };
  const { added_tokens: added = [], model } = file;
  if ((model.dropout ?? 0) !== 0) refuse(`model.dropout ${model.dropout}`);
  if ((model.continuing_subword_prefix ?? "") !== "" && model.type !== "WordPiece")
    refuse(`model.continuing_subword_prefix ${model.continuing_subword_prefix}`);
  if (model.type === "Unigram" && model.byte_fallback === true) refuse("byte_fallback of a Unigram model");
  const word = added.find(({ single_word: isWord }) => isWord === true);
  if (word !== undefined) refuse(`single_word of the token ${word.content}`);
  const visit = (cut: Component | null | undefined) => {
    if (cut == null) return;
    const { pretokenizers: parts, type = "" } = cut;
    if (Object.hasOwn(COMPUTED_CUTS, type) && !COMPUTED_CUTS[type]!(cut))
      refuse(`the pre-tokenizer ${type} ${JSON.stringify(cut.behavior ?? "")}`);
    if (Array.isArray(parts)) for (const part of parts as (Component | null)[]) visit(part);
  };
  visit(file.pre_tokenizer);
  requireSameConfig(file, config, refuse);
}

/** transformers lets tokenizer_config.json change what tokenizer.json has: the two must say the same. */
function requireSameConfig(
  file: TokenizerFile,
  config: TokenizerConfig,
  refuse: (setting: string, why: string) => void,
): void {
  const other = "of tokenizer_config.json says otherwise than tokenizer.json: correct one of them";
  const { add_bos_token: hasBegin, add_prefix_space: hasSpace } = config;
  const frame = frameOf(file);
  if (typeof hasBegin === "boolean" && hasBegin !== frame.begin.length > 0) refuse("add_bos_token", other);
  if (config.add_eos_token === true && frame.end.length === 0)
    refuse("add_eos_token", "puts a token behind a text: it is not computed");
  const { normalizer, pre_tokenizer: cut } = file;
  if (normalizer?.type === "BertNormalizer")
    for (const [own, name, usual] of BERT_SETTINGS)
      if (name in config && (config[name] ?? null) !== (normalizer[own] ?? usual)) refuse(name, other);
  if (
    cut?.type === "ByteLevel" &&
    typeof hasSpace === "boolean" &&
    hasSpace !== (cut.add_prefix_space ?? true)
  )
    refuse("add_prefix_space", other);
  for (const [id, named] of Object.entries(config.added_tokens_decoder ?? {})) {
    const own = file.added_tokens?.find(({ content }) => content === named?.content);
    const flags = ["lstrip", "rstrip", "single_word"] as const;
    const isSame =
      own?.id === Number(id) && flags.every((flag) => (own[flag] ?? false) === (named?.[flag] ?? false));
    if (!isSame) refuse(`added_tokens_decoder ${id} (${named?.content})`, other);
  }
}

/** Settings of BERT's normalizer, in tokenizer.json and in tokenizer_config.json, and their values where the first has none. */
const BERT_SETTINGS = [
  ["lowercase", "do_lower_case", true],
  ["strip_accents", "strip_accents", null],
  ["handle_chinese_chars", "tokenize_chinese_chars", true],
] as const;

/**
 * Attack: a group that repeats without a bound, as `(a+)+`, takes exponential time. No published pattern has one.
 *
 * @throws TypeError
 */
function requirePattern(pattern: string): void {
  if (pattern.length > MAX_PATTERN_LENGTH)
    throw new TypeError(`a pattern has ${pattern.length} characters, at most ${MAX_PATTERN_LENGTH} are read`);
  let repeats = 0;
  // An escape, a class, an alternative's end, or a repetition with what stands before it.
  for (const [part] of pattern.matchAll(
    /\\[\s\S]|\[(?:\\[\s\S]|[^\]\\])*\]+|\||(?:\))?(?:[*+]|\{\d+(?:,\d*)?\})/g,
  )) {
    if (part === "|") repeats = 0;
    const bounded = /\{\d*(?:,(\d+))?\}$/.exec(part);
    if (!/[*+}]$/.test(part) || /^[\\[]/.test(part)) continue;
    const isUnbounded = bounded === null || /,\}$/.test(part);
    if (isUnbounded && (part.startsWith(")") || ++repeats > MAX_REPEATS))
      throw new TypeError(
        `the pattern ${pattern.slice(0, 60)} repeats a group without a bound: it is not run here`,
      );
  }
}

/** Tokens that a post-processor puts around a text. */
export interface TextFrame {
  readonly begin: number[];
  readonly end: number[];
}

/**
 * Tokens that a post-processor puts before a text.
 *
 * @throws TypeError for one that puts tokens behind it, too: a text that goes on has none there
 */
export function beginOf(file: Pick<TokenizerFile, "post_processor">): number[] {
  const { begin, end } = frameOf(file);
  if (end.length === 0) return begin;
  throw new TypeError("its post_processor puts tokens behind a text, which is not computed: take them out");
}

/** Tokens that a post-processor puts before a text, and behind it. @throws TypeError */
export function frameOf({ post_processor: processor }: Pick<TokenizerFile, "post_processor">): TextFrame {
  const none: TextFrame = { begin: [], end: [] };
  if (processor === undefined || processor === null) return none;
  switch (processor.type) {
    case "ByteLevel":
      return none;
    case "Sequence":
      // A later one goes around an earlier one.
      return (processor.processors ?? []).reduce((inner, one) => {
        const { begin, end } = frameOf({ post_processor: one });
        return { begin: [...begin, ...inner.begin], end: [...inner.end, ...end] };
      }, none);
    case "BertProcessing":
      return { begin: [idOf(processor.cls)], end: [idOf(processor.sep)] };
    case "TemplateProcessing": {
      const parts = processor.single ?? [];
      const at = parts.findIndex(({ Sequence: text }) => text !== undefined);
      if (at < 0) throw new TypeError("its post_processor has no place for a text");
      const idsOf = (marks: readonly TemplatePart[]) =>
        marks.flatMap(({ SpecialToken: mark }) => {
          const ids = processor.special_tokens?.[mark?.id ?? ""]?.ids;
          if (ids === undefined || !ids.every(Number.isInteger))
            throw new TypeError(`its post_processor has no ids of ${mark?.id}`);
          return ids;
        });
      return { begin: idsOf(parts.slice(0, at)), end: idsOf(parts.slice(at + 1)) };
    }
    default:
      throw new TypeError(`its post_processor ${processor.type} is not computed here`);
  }
}

function idOf(mark: readonly [string, number] | undefined): number {
  if (Array.isArray(mark) && Number.isInteger(mark[1])) return mark[1];
  throw new TypeError("its post_processor has no ids of its marks");
}

/** Maximum bytes of tokenizer.json and of tokenizer_config.json. */
export const MAX_FILE_BYTES = 64 * 2 ** 20;

/** A JSON file of UTF-8 as an object. @throws TypeError, SyntaxError */
export function parseJsonFile(bytes: Uint8Array): object {
  const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  if (typeof value !== "object" || value === null) throw new TypeError("no object");
  return value;
}

/** A normalizer, or a pre-tokenizer. */
interface Component {
  readonly type?: string;
  readonly pattern?: { readonly Regex?: unknown };
  readonly [field: string]: unknown;
}

export interface DecoderFile {
  readonly type: string;
  readonly decoders?: readonly DecoderFile[];
  readonly pattern?: { readonly String?: string };
  readonly content?: string;
  readonly start?: number;
  readonly stop?: number;
  readonly prefix?: string;
  readonly cleanup?: boolean;
  readonly replacement?: string;
  readonly prepend_scheme?: string;
}

/** A special token, or the offset of the text. */
interface TemplatePart {
  readonly SpecialToken?: { readonly id: string };
  readonly Sequence?: { readonly id: string };
}

interface PostProcessor {
  readonly type?: string;
  readonly processors?: readonly PostProcessor[];
  /** Marks of "BertProcessing", each with its id. */
  readonly cls?: readonly [string, number];
  readonly sep?: readonly [string, number];
  readonly single?: readonly TemplatePart[];
  readonly special_tokens?: Readonly<Record<string, { readonly ids?: readonly number[] }>>;
}

/** A token beside the vocabulary. */
interface AddedTokenFile {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
  readonly single_word?: boolean;
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

/** The part of tokenizer_config.json by which transformers changes what tokenizer.json says. */
export interface TokenizerConfig {
  readonly additional_special_tokens?: readonly unknown[];
  readonly added_tokens_decoder?: Readonly<Record<string, Partial<AddedTokenFile> | null>> | null;
  readonly add_bos_token?: unknown;
  readonly add_eos_token?: unknown;
  readonly add_prefix_space?: unknown;
  readonly do_lower_case?: unknown;
  readonly strip_accents?: unknown;
  readonly tokenize_chinese_chars?: unknown;
}

/** The part of tokenizer.json that is read here. */
export interface TokenizerFile {
  readonly model: {
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
    readonly type?: string;
    readonly merges?: readonly unknown[];
    readonly dropout?: number | null;
    readonly byte_fallback?: boolean;
    readonly continuing_subword_prefix?: string | null;
    readonly end_of_word_suffix?: string | null;
  };
  readonly added_tokens?: readonly AddedTokenFile[];
  readonly decoder?: DecoderFile | null;
  readonly normalizer?: Component | null;
  readonly pre_tokenizer?: Component | null;
  readonly post_processor?: PostProcessor | null;
}
