/**
 * Builds the index of a Datanet version, a suffix array over all its rows, in which find-spans.ts finds the parts of an answer
 * that occur word for word. `openledger datanet index` builds it, index-file.ts stores it.
 */
import { modelError } from "../../model-errors.ts";
import {
  DOCUMENT_BYTES,
  encodeDocument,
  type RowText,
  readDocument,
  SEPARATOR,
  type SpanDocument,
} from "./span-documents.ts";
import { invalidText } from "./span-errors.ts";
import { suffixArray } from "./suffix-array.ts";

/** Maximum text of one index: its file has five bytes for each. A guess at what a laptop holds; revisit. */
export const MAX_TEXT_BYTES = 256 * 2 ** 20;

/** Input of an index: a row of the version, in the version's order. */
export interface DocumentInput {
  /** UTF-8, not empty. */
  readonly text: Uint8Array;
  readonly contributorId: number;
  readonly validatorId: number;
  readonly digest: string;
}

/** Entries of the array from `lo` up to, not with, `hi`. */
export interface Interval {
  readonly lo: number;
  readonly hi: number;
}

/** The parts of an index as they lie in its file. */
export interface IndexParts {
  readonly rowText: RowText;
  /** Rows root of the Datanet's version on the ledger: 64 hexadecimal digits. */
  readonly rowsRoot: string;
  readonly text: Uint8Array;
  /** Starts of all suffixes of the text, in their order. */
  readonly array: Int32Array;
  /** DOCUMENT_BYTES each. */
  readonly documents: Uint8Array;
}

/** Pairs of letters and, before them, a letter that ends the text. */
const PAIRS = 257;

/** The text of a version, searchable: which strings occur, how often, and where. */
export class SpanIndex {
  readonly parts: IndexParts;
  readonly documentCount: number;
  /** Entries before those that begin with a pair of letters. */
  readonly #pairStarts: Int32Array;
  /** Bytes of the text that searches have compared so far: their cost, on any machine. */
  comparedBytes = 0;

  constructor(parts: IndexParts) {
    this.parts = parts;
    this.documentCount = parts.documents.length / DOCUMENT_BYTES;
    this.#pairStarts = pairStarts(parts.text);
  }

  document(index: number): SpanDocument {
    return readDocument(this.parts.documents, index);
  }

  /** The document that holds this place of the text. */
  documentAt(position: number): number {
    const view = new DataView(this.parts.documents.buffer, this.parts.documents.byteOffset);
    let low = 0;
    let high = this.documentCount;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (view.getUint32(middle * DOCUMENT_BYTES, true) <= position) low = middle;
      else high = middle;
    }
    return low;
  }

  /**
   * Interval of the suffixes that begin with `pattern`, or the place where they would be. Patterns have two bytes at
   * least.
   */
  find(pattern: Uint8Array): Interval {
    const lo = this.#bound(pattern, false);
    const isThere =
      lo < this.parts.array.length && this.#common(this.parts.array[lo]!, pattern) === pattern.length;
    return { lo, hi: isThere ? this.#bound(pattern, true) : lo };
  }

  occurs(pattern: Uint8Array): boolean {
    return this.longestPrefix(pattern) === pattern.length;
  }

  /** Length in bytes of the longest prefix that occurs; 0 if not even its first two bytes do. */
  longestPrefix(pattern: Uint8Array): number {
    const { array } = this.parts;
    const key = pairOf(pattern);
    if (pattern.length < 2 || this.#pairStarts[key] === this.#pairStarts[key + 1]) return 0;
    const at = this.#bound(pattern, false);
    // The two suffixes beside its place share more with the pattern than all others.
    const before = at > 0 ? this.#common(array[at - 1]!, pattern) : 0;
    return at < array.length ? Math.max(before, this.#common(array[at]!, pattern)) : before;
  }

  /** The first entry that is not smaller than the pattern or, with `isUpper`, does not begin with it either. */
  #bound(pattern: Uint8Array, isUpper: boolean): number {
    const { array, text } = this.parts;
    const key = pairOf(pattern);
    let low = this.#pairStarts[key]!;
    let high = this.#pairStarts[key + 1]!;
    // Manber and Myers 1990: what is between two entries shares with the pattern what both do.
    let [lowSize, highSize] = [2, 2];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const position = array[middle]!;
      const size = this.#common(position, pattern, Math.min(lowSize, highSize));
      const isSmaller = size === pattern.length ? isUpper : !(text[position + size]! > pattern[size]!);
      if (isSmaller) {
        low = middle + 1;
        lowSize = size;
      } else {
        high = middle;
        highSize = size;
      }
    }
    return low;
  }

  /** @param known bytes that are known to be the same */
  #common(position: number, pattern: Uint8Array, known = 0): number {
    const { text } = this.parts;
    let size = known;
    while (size < pattern.length && text[position + size] === pattern[size]) size++;
    this.comparedBytes += size - known + 1;
    return size;
  }
}

const pairOf = (pattern: Uint8Array) => pattern[0]! * PAIRS + pattern[1]! + 1;

function pairStarts(text: Uint8Array): Int32Array {
  const starts = new Int32Array(256 * PAIRS + 1);
  for (let i = 0; i + 1 < text.length; i++) starts[text[i]! * PAIRS + text[i + 1]! + 2]!++;
  // The last letter alone comes before every pair that it begins.
  if (text.length > 0) starts[text[text.length - 1]! * PAIRS + 1]!++;
  for (let key = 1; key < starts.length; key++) starts[key]! += starts[key - 1]!;
  return starts;
}

/**
 * @param options.rowsRoot of the version, 64 hexadecimal digits
 * @param options.onShare told how much is sorted, 0 to 1
 * @throws MOD_INPUT_INVALID, MOD_TOO_LARGE
 */
export function buildSpanIndex(
  inputs: readonly DocumentInput[],
  {
    onShare,
    rowsRoot,
    rowText,
  }: { rowsRoot: string; rowText: RowText; onShare?: ((share: number) => void) | undefined },
): SpanIndex {
  const { text, documents } = joinDocuments(inputs);
  return new SpanIndex({ rowText, rowsRoot, text, array: suffixArray(text, onShare), documents });
}

function joinDocuments(inputs: readonly DocumentInput[]): { text: Uint8Array; documents: Uint8Array } {
  const textBytes = inputs.reduce((sum, { text }) => sum + text.length + 1, 0);
  if (textBytes > MAX_TEXT_BYTES) {
    throw modelError("MOD_TOO_LARGE", `${textBytes} bytes of text are more than ${MAX_TEXT_BYTES}`, {
      data: { textBytes, maxTextBytes: MAX_TEXT_BYTES },
    });
  }
  if (inputs.length === 0) throw invalidText("there is no document", {});
  const text = new Uint8Array(textBytes);
  const documents = new Uint8Array(inputs.length * DOCUMENT_BYTES);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let start = 0;
  for (const [i, input] of inputs.entries()) {
    if (input.text.length === 0) throw invalidText(`document ${i} is empty`, { document: i });
    try {
      decoder.decode(input.text);
    } catch (cause) {
      throw invalidText(`document ${i} is no UTF-8`, { document: i }, cause);
    }
    const end = start + input.text.length;
    text.set(input.text, start);
    text[end] = SEPARATOR;
    encodeDocument({ ...input, start, end }, documents.subarray(i * DOCUMENT_BYTES));
    start = end + 1;
  }
  return { text, documents };
}
